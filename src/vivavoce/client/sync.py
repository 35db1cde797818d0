"""`SyncRealtimeClient`: `RealtimeClient` for programs without an event loop."""

import asyncio
import copy
import functools
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, overload

from vivavoce.client.audience import Handler
from vivavoce.client.background import Background
from vivavoce.client.changes import Change
from vivavoce.client.conversation import Conversation, ConversationItem
from vivavoce.client.microphone import Ear, OpenMicrophone
from vivavoce.client.realtime import RealtimeClient
from vivavoce.client.reply import Reply
from vivavoce.client.streams import EventStream, StreamEvent
from vivavoce.client.tool import RESULT_CHARACTERS, Approval, Tool, ToolSource
from vivavoce.client.usage import UsageMeter
from vivavoce.errors import ConnectionLost
from vivavoce.protocol.items import MessageItem, OutputAudio, OutputText
from vivavoce.protocol.responses import Response
from vivavoce.protocol.session import PCM_RATE, Session

__all__ = [
    "SyncConversation",
    "SyncEventStream",
    "SyncMicrophone",
    "SyncRealtimeClient",
    "SyncReply",
]

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


class SyncReply:
    """A response that was asked for."""

    def __init__(self, client: "SyncRealtimeClient", reply: Reply, future: Future[Response]) -> None:
        self._client = client
        self._reply = reply
        self._future = future

    @property
    def response_id(self) -> str | None:
        """The response's id, once it has begun."""
        return self._reply.response_id

    @property
    def done(self) -> bool:
        """Whether nothing more will come of it."""
        return self._future.done()

    def wait(self, seconds: float | None = None) -> Response:
        """Return the response as it is in the end; raises `TimeoutError`, and what awaiting a `Reply` raises."""
        return self._future.result(seconds)

    @property
    def text(self) -> str:
        """What is written or said in it; waits for its end."""
        return "".join(
            content.text if isinstance(content, OutputText) else content.transcript or ""
            for item in self.wait().output
            if isinstance(item, MessageItem)
            for content in item.content
            if isinstance(content, OutputText | OutputAudio)
        )

    def cancel(self) -> None:
        """End it."""
        self._client.cancel(self)


class SyncEventStream:
    """The events of a session, for a ``for`` loop that waits for each."""

    def __init__(self, background: Background, stream: EventStream) -> None:
        self._background = background
        self._stream = stream

    @property
    def missed(self) -> int:
        """Events that were lost, because they were not read for too long."""
        return self._stream.missed

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> StreamEvent:
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def next(self, seconds: float | None = None) -> StreamEvent | None:
        """Return the next event, or None when there will be no more; raises `TimeoutError`."""

        async def read() -> StreamEvent | None:
            return await anext(self._stream, None)

        return self._background.run(read(), seconds)


class SyncMicrophone:
    """A microphone that is connected to a session: `vivavoce.client.microphone.OpenMicrophone`, for ``with``."""

    def __init__(self, client: "SyncRealtimeClient", microphone: OpenMicrophone) -> None:
        self._client = client
        self._microphone = microphone

    def __enter__(self) -> Self:
        self._client._background.run(self._microphone.__aenter__())  # noqa: SLF001 - the two are one thing
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client._background.run(self._microphone.__aexit__(kind, error, trace))  # noqa: SLF001

    def press(self) -> None:
        """Begin to talk: the answer that is being given falls silent."""
        self._client._background.call(self._microphone.press)  # noqa: SLF001

    def release(self) -> SyncReply | None:
        """End what is being said, and ask for the answer; None, where it was too short to be anything."""
        return self._client._background.run(self._client._released(self._microphone))  # noqa: SLF001


class SyncConversation:
    """The conversation of a session, which goes on in another thread: what this gives are copies."""

    def __init__(self, conversation: Conversation, safely: Callable[[Callable[[], Any]], Any]) -> None:
        self._conversation = conversation
        self._safely = safely

    @property
    def items(self) -> list[ConversationItem]:
        """The items as they are now."""
        items: list[ConversationItem] = self._safely(lambda: copy.deepcopy(self._conversation.items))
        return items

    def find(self, item_id: str) -> ConversationItem | None:
        """Return the item of this id as it is now."""
        item: ConversationItem | None = self._safely(lambda: copy.deepcopy(self._conversation.find(item_id)))
        return item

    def on(self, name: str, listener: Callable[[Change], object]) -> Callable[[], None]:
        """Call a listener for every change of a type, as `Conversation.on` does, in the client's thread."""
        remove: Callable[[], None] = self._safely(lambda: self._conversation.on(name, listener))
        return lambda: self._safely(remove)


def _constructor(
    _: Callable[Concatenate[Any, P], None],
) -> Callable[[Callable[..., None]], Callable[Concatenate[Any, P], None]]:
    """Give a constructor the parameters of another."""

    def given(init: Callable[..., None]) -> Callable[Concatenate[Any, P], None]:
        return functools.wraps(_)(init)

    return given


def _waiting(
    method: Callable[Concatenate[RealtimeClient, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate["SyncRealtimeClient", P], R]:
    """Make a method that waits of one that is awaited."""

    @functools.wraps(method)
    def wait(self: "SyncRealtimeClient", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._background.run(method(self._client, *args, **kwargs))

    return wait


def _asking(
    method: Callable[Concatenate[RealtimeClient, P], Coroutine[Any, Any, Reply]],
) -> Callable[Concatenate["SyncRealtimeClient", P], SyncReply]:
    """Make a method whose reply can be waited for of one whose reply can be awaited."""

    @functools.wraps(method)
    def ask(self: "SyncRealtimeClient", /, *args: P.args, **kwargs: P.kwargs) -> SyncReply:
        return self._background.run(self._asked(lambda: method(self._client, *args, **kwargs)))

    return ask


class SyncRealtimeClient:
    """A session with a Realtime endpoint, for scripts: what `RealtimeClient` awaits, this waits for.

    ``with`` connects and closes; ``for event in client`` yields the server's events. The session goes on in a thread
    of its own, which ends with it, so reading the events is up to you. Errors are raised where you wait. Tools are
    plain functions, called in other threads; a tool that runs while the client closes is waited for.
    """

    @_constructor(RealtimeClient.__init__)
    def __init__(self, *args: Any, **options: Any) -> None:
        self._client = RealtimeClient(*args, **options)
        self._background = Background("realtime client")
        self._own = SyncEventStream(self._background, aiter(self._client))
        self._replies: set[asyncio.Future[Response]] = set()
        self.conversation = SyncConversation(self._client.conversation, self._safely)
        """The conversation, always current."""

    # Connecting.

    def connect(self) -> Self:
        """Connect. Raises `ConnectionFailed`."""
        self._background.start()
        try:
            self._background.run(self._client.connect())
        except BaseException:
            self._background.stop()
            raise
        return self

    def close(self) -> None:
        """End the session, what still runs for it, and its thread. Closing twice does nothing more."""
        if not self._background.running:
            return
        try:
            self._background.run(self._close())
        finally:
            self._background.stop()

    async def _close(self) -> None:
        await self._client.close()
        await asyncio.gather(*self._replies, return_exceptions=True)  # who waits learns that it is over

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Events.

    send = _waiting(RealtimeClient.send)

    def __iter__(self) -> SyncEventStream:
        return self._own

    def events(self) -> SyncEventStream:
        """Return a stream of the events from now on, beside the client's own."""
        return SyncEventStream(self._background, self._safely(self._client.events))

    def on(self, kind: str, handler: Handler) -> Callable[[], None]:
        """Call a handler for every event of a type, or of any for ``*``; what it returns takes it off again.

        It is called in the client's thread, and must not wait, so it can use no method of the client that does.
        """
        remove = self._safely(lambda: self._client.on(kind, handler))
        return lambda: self._safely(remove)

    # What is so.

    @property
    def lost(self) -> ConnectionLost | None:
        """Why there will be no more; None as long as the session goes on, over whatever connection."""
        return self._client.lost

    @property
    def session(self) -> Session | None:
        """The session as the endpoint says it is; None before it has said so."""
        return self._client.session

    @property
    def usage(self) -> UsageMeter:
        """The tokens of all responses so far; ``client.usage.cost(model)`` is what they cost."""
        return self._safely(lambda: copy.deepcopy(self._client.usage))

    # Session, items, speaking and asking.

    def update_session(self, **fields: Any) -> Session:
        """Change the session, as `RealtimeClient.update_session` does; return it as it is then."""
        return self._background.run(self._client.update_session(**fields))

    create_item = _waiting(RealtimeClient.create_item)
    send_audio = _waiting(RealtimeClient.send_audio)
    send_file = _waiting(RealtimeClient.send_file)
    send_text = _asking(RealtimeClient.send_text)
    commit = _asking(RealtimeClient.commit)
    create_response = _asking(RealtimeClient.create_response)

    def microphone(
        self, ear: Ear | None = None, rate: int = PCM_RATE, *, push_to_talk: bool = False
    ) -> SyncMicrophone:
        """Send what the microphone hears, as long as ``with`` lasts. Raises `AudioDeviceError` where there is none."""
        opened = self._safely(lambda: self._client.microphone(ear, rate, push_to_talk=push_to_talk))
        return SyncMicrophone(self, opened)

    def cancel(self, reply: SyncReply | None = None) -> None:
        """End a response, or the conversation's if none is named; where there is none, nothing happens."""
        named = None if reply is None else reply._reply  # noqa: SLF001 - the two are one thing
        self._background.call(lambda: self._client.cancel(named))

    def interrupt(self) -> None:
        """Silence the answer: cancel it if it is still being made, and truncate it at what was heard."""
        self._background.call(self._client.interrupt)

    # Tools.

    @overload
    def tool(self, function: F) -> F: ...

    @overload
    def tool(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        background: bool = False,
        seconds: float | None = None,
        approve: Approval | None = None,
        characters: int = RESULT_CHARACTERS,
    ) -> Callable[[F], F]: ...

    def tool(
        self,
        function: F | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        background: bool = False,
        seconds: float | None = None,
        approve: Approval | None = None,
        characters: int = RESULT_CHARACTERS,
    ) -> F | Callable[[F], F]:
        """Let the model call a function; a decorator, as `RealtimeClient.tool` is."""
        decorate = self._client.tool(
            name=name,
            description=description,
            background=background,
            seconds=seconds,
            approve=approve,
            characters=characters,
        )

        def add(function: F) -> F:
            return self._safely(lambda: decorate(function))

        return add if function is None else add(function)

    def add_tools(self, *tools: Tool | ToolSource) -> None:
        """Let the model call these tools, and those of sources, such as MCP servers, as they come and go."""
        self._safely(lambda: self._client.add_tools(*tools))

    def remove_tool(self, tool: str | ToolSource) -> None:
        """Take a tool away from the model, or a source; raises `KeyError` if there is none such."""
        self._safely(lambda: self._client.remove_tool(tool))

    # Between the threads.

    def _safely(self, function: Callable[[], R]) -> R:
        """Call a function where nothing happens meanwhile: in the thread of the session, if there is one."""
        return self._background.call(function) if self._background.running else function()

    async def _asked(self, ask: Callable[[], Coroutine[Any, Any, Reply]]) -> SyncReply:
        return self._replied(await ask())

    async def _released(self, microphone: OpenMicrophone) -> SyncReply | None:
        reply = await microphone.release()
        return None if reply is None else self._replied(reply)

    def _replied(self, reply: Reply) -> SyncReply:
        told: Future[Response] = Future()
        waiting = asyncio.ensure_future(_response(reply))
        self._replies.add(waiting)
        waiting.add_done_callback(functools.partial(_tell, told))
        waiting.add_done_callback(self._replies.discard)
        return SyncReply(self, reply, told)


async def _response(reply: Reply) -> Response:
    return await reply


def _tell(told: Future[Response], ended: asyncio.Future[Response]) -> None:
    if ended.cancelled():
        told.cancel()
    elif (error := ended.exception()) is not None:
        told.set_exception(error)
    else:
        told.set_result(ended.result())
