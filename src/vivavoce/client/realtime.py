"""`RealtimeClient`: a session with any Realtime endpoint, and what a voice application needs around it."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, overload

import aiohttp

from vivavoce.audio.devices import Microphone
from vivavoce.client.audience import Audience, Handler
from vivavoce.client.changes import CHANGES
from vivavoce.client.configuration import session_changes
from vivavoce.client.connecting import Address, Carrier, connector
from vivavoce.client.continuity import Continuity
from vivavoce.client.conversation import Conversation
from vivavoce.client.following import Following
from vivavoce.client.functions import describe
from vivavoce.client.input_audio import Audio
from vivavoce.client.line import Connect, Line, Owner
from vivavoce.client.microphone import Ear, OpenMicrophone
from vivavoce.client.outbox import Outbox
from vivavoce.client.recording import Recorder
from vivavoce.client.remote_player import RemotePlayer
from vivavoce.client.reply import Reply
from vivavoce.client.retrying import Reconnect
from vivavoce.client.saying import Saying
from vivavoce.client.speaking import Loudspeaker, Speaking
from vivavoce.client.streams import EventStream
from vivavoce.client.tasks import Tasks
from vivavoce.client.tool import RESULT_CHARACTERS, Approval, Tool, ToolContext, ToolSource
from vivavoce.client.toolbox import NOBODY
from vivavoce.client.usage import UsageMeter
from vivavoce.errors import ConnectionLost
from vivavoce.protocol.client_events import (
    ClientEvent,
    ConversationItemCreate,
    InputAudioBufferAppend,
    SessionUpdate,
)
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.items import InputText, Item, MessageItem
from vivavoce.protocol.responses import ResponseCreateParams
from vivavoce.protocol.session import PCM_RATE, Session

__all__ = ["OPENAI_URL", "RealtimeClient"]

OPENAI_URL = "https://api.openai.com/v1"

UPDATE_SECONDS = 15.0
"""For an endpoint to say that a session is as it was asked to be."""

F = TypeVar("F", bound=Callable[..., Any])


class RealtimeClient:
    """A session with a Realtime endpoint: OpenAI's, Azure's, a gateway's, or any other that speaks the protocol.

    ``async with`` connects and closes. ``async for event in client`` yields the server's events; reading them is
    up to you: the conversation, the replies and the tools go on in any case.

    ``url`` and what follows it are as in `WebSocketTransport.connect`; ``transport`` connects in another way:
    ``"webrtc"`` as a call, ``engine.connect`` with an engine in this process. ``keep_audio`` keeps the speech of the
    conversation's items, 170 MB an hour, or the last so many seconds of it; ``keep_items``, no more than so many
    items. ``speaker`` plays the answers, and falls silent when somebody begins to speak. ``recorder`` keeps all of it
    in a folder. ``tool_context`` tells tools for whom they work, and hears how far they are. ``reconnect`` is how the
    session outlives its connections; False ends it with the first.
    """

    def __init__(
        self,
        url: str = OPENAI_URL,
        *,
        api_key: str | None = None,
        model: str | None = None,
        call_id: str | None = None,
        intent: str | None = None,
        headers: Mapping[str, str] | None = None,
        http: aiohttp.ClientSession | None = None,
        transport: Connect | Carrier | None = None,
        keep_audio: float | bool = False,
        keep_items: int | None = None,
        speaker: Loudspeaker | None = None,
        recorder: Recorder | None = None,
        tool_context: ToolContext = NOBODY,
        reconnect: bool | Reconnect = True,
    ) -> None:
        address = Address(
            url=url, api_key=api_key, model=model, call_id=call_id, intent=intent, headers=headers, http=http
        )
        connect = connector(transport, address)
        playback = speaker.playback if isinstance(speaker, RemotePlayer) else None
        if recorder is not None:
            connect = recorder.connect(connect)
            speaker = recorder.speaker(speaker) if speaker is not None else None
        self.conversation = Conversation(keep_audio=keep_audio, keep_items=keep_items)
        self._tasks = Tasks()
        self._audience = Audience(self._tasks)
        self._outbox = Outbox()
        self._following = Following(
            self.conversation,
            self._outbox,
            ids=Ids(),
            tasks=self._tasks,
            audience=self._audience,
            speaking=Speaking(speaker, self.conversation.placed, playback) if speaker is not None else None,
            tool_context=tool_context,
        )
        self._following.calls.toolbox.watch(self._tell_tools)
        self._saying = Saying(self.send, self._following.audio)
        policy = Reconnect() if reconnect is True else reconnect or None
        self._line = Line(
            connect,
            self._tasks,
            self._outbox,
            Owner(
                take=self._following.take,
                interrupted=self._following.interrupted,
                resumed=self._following.resumed,
                tell=self._audience.tell,
                calm=lambda: self._following.calm,
                ended=self._following.ended,
            ),
            continuity=Continuity(self.conversation, hold=policy.hold if policy else 0),
            policy=policy,
            attached=call_id is not None,
        )

    @property
    def session(self) -> Session | None:
        """The session as the endpoint says it is; None before it has said so."""
        return self._following.session

    @property
    def usage(self) -> UsageMeter:
        """The tokens of all responses; ``client.usage.cost(model)`` is what they cost."""
        return self._following.usage

    @property
    def lost(self) -> ConnectionLost | None:
        """Why there will be no more; None as long as the session goes on, over whatever connection."""
        return self._line.lost

    # Connecting.

    async def connect(self) -> Self:
        """Connect. Raises `ConnectionFailed`."""
        await self._line.open()
        if len(self._following.calls.toolbox):
            self._tell_tools()
        return self

    async def close(self) -> None:
        """End the session, and what still runs for it. Closing twice does nothing more."""
        await self._line.close()
        await self._tasks.cancel()
        self._following.calls.toolbox.detach()

    async def __aenter__(self) -> Self:
        return await self.connect()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # Events.

    async def send(self, event: ClientEvent) -> None:
        """Send any event of the protocol; wait while the line is slow. Raises `ConnectionLost`.

        All but audio get an ``event_id`` if they have none, so that an ``error`` event can name them; items get an id.
        """
        self._saying.audio.sent(event)
        if not isinstance(event, InputAudioBufferAppend):
            self._following.name(event)
        await self._outbox.put(event)

    def __aiter__(self) -> EventStream:
        return self._audience.own

    def events(self) -> EventStream:
        """Return a stream of the events from now on, beside the client's own."""
        return self._audience.stream()

    def on(self, kind: str, handler: Handler) -> Callable[[], None]:
        """Call a handler for every event of a type, or of any for ``*``; what it returns takes it off again.

        An asynchronous handler runs on its own: events do not wait for it. ``conversation.updated``,
        ``conversation.item.appended``, ``conversation.item.completed`` and ``conversation.interrupted`` are the changes
        that `Conversation.on` tells of.
        """
        change = kind.removeprefix("conversation.")
        if change != kind and change in CHANGES:
            return self.conversation.on(change, lambda told: self._audience.call(handler, told))
        return self._audience.on(kind, handler)

    # Session and items.

    async def update_session(self, **fields: Any) -> Session:
        """Change the session, by flat names (`vivavoce.client.configuration.FIELDS`); return it as it is then.

        Raises `TypeError` for what cannot be, and `ProtocolError` for what the endpoint refuses.
        """
        event = SessionUpdate(session=session_changes(fields))
        updated = self._following.update(event)
        await self.send(event)
        while not (await asyncio.wait([updated], timeout=UPDATE_SECONDS))[0]:
            if self._line.up:
                raise TimeoutError(f"The endpoint did not answer the update in {UPDATE_SECONDS:g} s.")
        return updated.result()

    async def create_item(self, item: Item, *, previous_item_id: str | None = None) -> str:
        """Add an item to the conversation; return its id, made up here if it has none.

        It does not wait. If the endpoint refuses the item, an ``error`` event says so, and so does the reply that is
        asked for next: awaiting it raises that `ProtocolError`.
        """
        event = ConversationItemCreate(item=item)
        if previous_item_id is not None:
            event.previous_item_id = previous_item_id
        await self.send(event)
        return item.id

    # Speaking and asking.

    async def send_text(self, text: str) -> Reply:
        """Say something in writing, and ask for a response to it."""
        await self.create_item(MessageItem(role="user", content=[InputText(text=text)]))
        return await self.create_response()

    async def send_audio(
        self, audio: Audio, rate: int = PCM_RATE, *, channels: int = 1, paced: bool = False
    ) -> None:
        """Send speech, of any length, in frames of 40 ms; wait while the line is slow.

        Floats in [-1, 1] or int16 of shape (n,) or (channels, n), or PCM16 as bytes with so many ``channels``. What
        follows at the same rate goes on without a seam. ``paced`` sends each frame when it would have been spoken.
        Raises `AudioError` for what is no audio.
        """
        await self._saying.say(audio, rate, channels=channels, paced=paced)

    async def send_file(self, source: str | Path | bytes, *, paced: bool = False) -> None:
        """Send a sound file, as WAV or FLAC, as `send_audio` does. Raises `AudioFileError` for what is none."""
        await self._saying.say_file(source, paced=paced)

    def microphone(
        self, ear: Ear | None = None, rate: int = PCM_RATE, *, push_to_talk: bool = False
    ) -> OpenMicrophone:
        """Send what the microphone of this machine hears, or any other ``ear``, as long as ``async with`` lasts.

        Raises `AudioDeviceError` where there is none.
        """
        return OpenMicrophone(self, ear or Microphone(rate), rate, push_to_talk=push_to_talk)

    async def commit(self) -> Reply:
        """Make an item of the speech that was sent, and ask for a response to it: push-to-talk.

        Raises `SpeechTooShort`, and forgets it, where it is less than the 100 ms that a turn needs. Awaiting the reply
        raises the `ProtocolError` of the commit, if that is refused.
        """
        await self._saying.commit()
        return await self.create_response()

    async def create_response(self, params: ResponseCreateParams | None = None) -> Reply:
        """Ask for a response; it begins as soon as the conversation is free. Await the reply for its end."""
        if self._line.lost is not None:
            raise self._line.lost
        reply, events = self._following.ask(params)
        for event in events:
            await self.send(event)
        return reply

    def cancel(self, reply: Reply | None = None) -> None:
        """End a response, or the conversation's if none is named; where there is none, nothing happens."""
        self._following.cancel(reply)

    def interrupt(self) -> None:
        """Silence the answer: cancel it if it is still being made, and truncate it at what was heard.

        Nothing happens where nobody speaks. Somebody who begins to speak does the same, without being asked.
        """
        self._following.cancel(None)
        self._following.silence()

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
        """Let the model call a function; a decorator. `vivavoce.client.functions.describe` says what it needs.

        A call may take ``seconds``; ``approve`` is asked before each; and so many ``characters`` of its result are
        told. During a call in the ``background`` the conversation goes on; its result is told when it is there.
        """

        def add(function: F) -> F:
            described = describe(
                function,
                name=name,
                description=description,
                background=background,
                seconds=seconds,
                approve=approve,
                characters=characters,
            )
            self._following.calls.toolbox.add(described)
            return function

        return add if function is None else add(function)

    def add_tools(self, *tools: Tool | ToolSource) -> None:
        """Let the model call these tools, and those of sources, such as MCP servers, as they come and go."""
        self._following.calls.toolbox.add(*tools)

    def remove_tool(self, tool: str | ToolSource) -> None:
        """Take a tool away from the model, or a source; raises `KeyError` if there is none such."""
        self._following.calls.toolbox.remove(tool)

    def _tell_tools(self) -> None:
        if self._line.opened:  # else it is told when there is somebody to tell
            self._following.tell_tools()
