"""A session of an agent with the endpoint, and the spoken turns in it.

This is the one object behind the entities: it is fed PCM and gives the transcript, and then words, calls and PCM. It
knows the chat log of Home Assistant, and nothing of pipelines.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from homeassistant.components import conversation
from homeassistant.helpers.json import json_dumps

from .compat import tool_data
from .const import LOGGER
from .instructions import Instructions
from .vivavoce.client import RealtimeClient
from .vivavoce.client.reply import Reply
from .vivavoce.errors import VivaVoceError
from .vivavoce.protocol import server_events as server
from .vivavoce.protocol.client_events import (
    ConversationItemDelete,
    InputAudioBufferClear,
    InputAudioBufferCommit,
)
from .vivavoce.protocol.items import (
    FunctionCall,
    FunctionCallOutput,
    InputText,
    Item,
    MessageItem,
    OutputText,
)
from .vivavoce.protocol.responses import Response, ResponseCreateParams

__all__ = [
    "Call",
    "EndpointRefused",
    "LiveSession",
    "LiveTurn",
    "NothingSaid",
    "Piece",
    "Sound",
    "configure",
    "current_turn",
]

RATE = 24_000
"""Hz of all speech of the protocol."""
SATELLITE_RATE = 16_000
"""Hz of the speech that Home Assistant's pipelines carry."""
MIN_SPEECH_SECONDS = 0.1
"""An endpoint refuses a turn that is shorter."""
TRANSCRIPT_SECONDS = 15.0
"""For the transcript of a turn to come."""


class NothingSaid(VivaVoceError):  # noqa: N818 - says what happened
    """There was no speech in a turn."""


class EndpointRefused(VivaVoceError):  # noqa: N818 - says what happened
    """The endpoint could not answer; ``code`` is its own word for why."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Sound:
    """Speech of the assistant: PCM16 at 24 kHz."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """A function that the model calls."""

    call_id: str
    name: str
    arguments: str


Piece = str | Sound | Call
"""What an answer is made of, in the order in which it comes; a ``str`` is words."""


@dataclass(eq=False, slots=True)
class LiveTurn:
    """One spoken exchange, on its way through the stages of a pipeline."""

    session: LiveSession
    transcript: str
    item_id: str
    owner: str = ""
    """The id of the agent that has heard it."""
    aloud: bool = True
    """Whether the answer is to be spoken by the agent's own voice."""
    taken: bool = False
    """Whether the conversation entity answers it; a sentence trigger or a local intent may do so instead."""
    sound: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    """The answer as it is spoken, for the text-to-speech entity; None ends it. An answer's length is its bound."""
    sounds: bool = False
    """Whether there is any of it."""
    sounding: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with the first of it, or with its end."""

    def say(self, pcm: bytes | None) -> None:
        """Give more of the answer; None ends it."""
        self.sounds |= pcm is not None
        self.sound.put_nowait(pcm)
        self.sounding.set()

    async def abandon(self) -> None:
        """Forget the turn at the endpoint: something else has answered it, as the chat log will tell."""
        if not self.taken and self.session.turn is self:
            self.session.turn = None
            await self.session.client.send(ConversationItemDelete(item_id=self.item_id))


current_turn: ContextVar[LiveTurn | None] = ContextVar("openai_realtime_turn", default=None)
"""The turn that the speech-to-text entity began, for the stages of the same pipeline run."""


class LiveSession:
    """A session of one conversation, which is ``configured`` so already."""

    def __init__(self, client: RealtimeClient, configured: Mapping[str, Any] | None = None) -> None:
        self.client = client
        self.turn: LiveTurn | None = None
        """The last turn that was heard, until it is answered."""
        self.lock = asyncio.Lock()
        """Held by who speaks or answers: a conversation has one turn at a time."""
        self.instructions = Instructions()
        """Those of the conversation, where it has had a session before."""
        self._configured = dict(configured or {})
        self._told = 1
        """How much of the chat log the endpoint knows; the first is the system's prompt."""
        self._in_vain: _Heard | None = None
        """A turn that was broken off, or that the endpoint ended before the speech did."""

    async def configure(self, **fields: Any) -> None:
        """Let the session be so; nothing is sent where it is so already. Raises what `configure` does."""
        changed = {
            name: value
            for name, value in fields.items()
            if name not in self._configured or self._configured[name] != value
        }
        if changed:
            if "tools" in changed:
                LOGGER.debug("Updating session with %d tools", len(changed["tools"]))
            await configure(self.client, **changed)
            self._configured |= changed

    # Hearing.

    async def hear(self, speech: AsyncIterable[bytes], *, rate: int = SATELLITE_RATE) -> LiveTurn:
        """Hear one turn, until the speech ends or the endpoint says that it has, and return it with its words.

        Who speaks while an answer can still be heard interrupts it. Raises `NothingSaid`, `EndpointRefused` where no
        transcript comes, and the client's errors.
        """
        self.client.interrupt()
        await self._forget()
        heard = self._in_vain = _Heard(self.client)
        said = 0
        async for chunk in speech:
            await self.client.send_audio(chunk, rate)
            said += len(chunk)
            if heard.item_id.done():
                break
        by_endpoint = heard.item_id.done()
        if not by_endpoint:
            if said < MIN_SPEECH_SECONDS * rate * 2:
                raise NothingSaid("There was less than 100 ms of speech.")
            await self.client.send(InputAudioBufferCommit())
        try:
            async with asyncio.timeout(TRANSCRIPT_SECONDS):
                item_id = await asyncio.shield(heard.item_id)
                transcript = (await asyncio.shield(heard.transcript)).strip()
        except TimeoutError as error:
            raise EndpointRefused(f"No transcript came in {TRANSCRIPT_SECONDS:g} s.") from error
        if not transcript:
            raise NothingSaid("No words were understood.")
        heard.stop()
        self._in_vain = None
        if by_endpoint:  # what was said since is in its buffer
            await self.client.send(InputAudioBufferClear())
        self.turn = LiveTurn(self, transcript, item_id)
        return self.turn

    async def _forget(self) -> None:
        """Let the endpoint forget a turn that came to nothing."""
        vain, self._in_vain = self._in_vain, None
        if vain is None:
            return
        vain.stop()
        await self.client.send(InputAudioBufferClear())
        if vain.item_id.done() and not vain.item_id.exception():
            await self.client.send(ConversationItemDelete(item_id=vain.item_id.result()))

    # Answering.

    async def catch_up(self, content: list[conversation.Content], *, spoken: bool) -> None:
        """Tell the endpoint what it does not know of a conversation, whose last content is the user's words.

        ``spoken``: those it has heard itself, and what it is told now was before them.
        """
        await self._forget()
        new: list[Item] = []
        for number, one in enumerate(content[self._told :], self._told):
            last = number == len(content) - 1
            if time := self.instructions.time_before(number, last=last):
                new.append(MessageItem(role="system", content=[InputText(text=time)]))
            if not (last and spoken):
                new += _items(one)
        before = self._before_turn() if spoken else None
        for item in new:
            added = await self.client.create_item(item, previous_item_id=before)
            before = before and added
        self._told = len(content)

    def _before_turn(self) -> str | None:
        """Return the id of what comes before the turn that was heard, as ``previous_item_id`` has it."""
        known = ["root", *(item.id for item in self.client.conversation.items)]
        heard = self.turn.item_id if self.turn else ""
        return known[known.index(heard) - 1] if heard in known else None

    def answered(self, content: list[conversation.Content]) -> None:
        """Note that the endpoint has said the rest of a conversation itself."""
        self._told = len(content)
        self.turn = None

    async def answer(self, *, aloud: bool, tool_choice: Any = None) -> AsyncGenerator[Piece]:
        """Ask for a response and give it piece by piece. Raises `VivaVoceError` where it fails.

        Who does not read to the end cancels it.
        """
        params = ResponseCreateParams(output_modalities=["audio"] if aloud else ["text"])
        if tool_choice is not None:
            params.tool_choice = tool_choice
        async for piece in answer(self.client, params):
            yield piece

    async def tell_rules(self, text: str) -> None:
        """Tell the model something that is not the user's, behind what the conversation has."""
        await self.client.create_item(MessageItem(role="system", content=[InputText(text=text)]))

    async def tell_result(self, call_id: str, result: str) -> None:
        """Tell what came of a call."""
        await self.client.create_item(FunctionCallOutput(call_id=call_id, output=result))
        LOGGER.debug("Function result sent to OpenAI")


async def configure(client: RealtimeClient, **fields: Any) -> None:
    """Let a client's session be so, as `RealtimeClient.update_session` has it.

    Raises `VivaVoceError`: `EndpointRefused` for what cannot be, and where nothing is said to it.
    """
    try:
        await client.update_session(**fields)
    except (TypeError, TimeoutError) as error:
        raise EndpointRefused(str(error)) from error
    LOGGER.debug("Session updated")


async def answer(client: RealtimeClient, params: ResponseCreateParams) -> AsyncGenerator[Piece]:
    """Ask for a response and give it piece by piece; who does not read to the end cancels it.

    Raises `VivaVoceError` where it fails, and its subclasses where it does not begin.
    """
    pieces: asyncio.Queue[Piece | Response | BaseException] = (
        asyncio.Queue()
    )  # an answer's length is its bound
    reply = await client.create_response(params)

    def fold(event: Any) -> None:
        if getattr(event, "response_id", None) not in (None, reply.response_id):
            return
        match event:
            case (
                server.ResponseOutputTextDelta(delta=words)
                | server.ResponseOutputAudioTranscriptDelta(delta=words)
            ):
                pieces.put_nowait(words)
            case server.ResponseOutputAudioDelta(delta=sound):
                pieces.put_nowait(Sound(base64.b64decode(sound)))
            case server.ResponseOutputItemDone(item=FunctionCall() as call) if call.status != "incomplete":
                LOGGER.debug("Function call received: %s", call.name)
                pieces.put_nowait(Call(call.call_id, call.name, call.arguments))

    stop = client.on("*", fold)
    ending = asyncio.create_task(_ending(reply, pieces), name="openai_realtime: end of the answer")
    try:
        while True:
            piece = await pieces.get()
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, Response):
                _check(piece)
                return
            yield piece
    finally:
        stop()
        ending.cancel()
        if not reply.done:
            client.cancel(reply)


async def _ending(reply: Reply, pieces: asyncio.Queue[Piece | Response | BaseException]) -> None:
    try:
        pieces.put_nowait(await reply)
    except VivaVoceError as error:
        pieces.put_nowait(error)


def _check(response: Response) -> None:
    """Raise `EndpointRefused` for a response that failed."""
    if response.status == "failed":
        error = response.status_details.error if response.status_details else None
        message = str((error and error.message) or "no reason given")
        LOGGER.error("API Error: %s", message)
        raise EndpointRefused(message, str((error and error.code) or ""))


class _Heard:
    """Waits for a turn: its item, and its transcript; ``stop`` ends that."""

    def __init__(self, client: RealtimeClient) -> None:
        loop = asyncio.get_running_loop()
        self.item_id: asyncio.Future[str] = loop.create_future()
        self.transcript: asyncio.Future[str] = loop.create_future()
        for future in (self.item_id, self.transcript):
            future.add_done_callback(_seen)
        self.stop = client.on("*", self._fold)

    def _fold(self, event: Any) -> None:
        match event:
            case server.InputAudioBufferCommitted(item_id=item_id) if not self.item_id.done():
                self.item_id.set_result(item_id)
            case server.ConversationItemInputAudioTranscriptionCompleted(item_id=item_id, transcript=words):
                if self._ours(item_id):
                    self.transcript.set_result(words)
            case server.ConversationItemInputAudioTranscriptionFailed(item_id=item_id, error=error):
                if self._ours(item_id):
                    self.transcript.set_exception(EndpointRefused(str(error.message or "no reason given")))
            case server.ErrorEvent(error=error) if error.code == "input_audio_buffer_commit_empty":
                if not self.item_id.done():
                    self.item_id.set_exception(NothingSaid(error.message))

    def _ours(self, item_id: str) -> bool:
        return (
            self.item_id.done()
            and self.item_id.exception() is None
            and self.item_id.result() == item_id
            and not self.transcript.done()
        )


def _seen(future: asyncio.Future[str]) -> None:
    """Take note of an error that nobody may be waiting for any more."""
    if not future.cancelled():
        future.exception()


def _items(content: conversation.Content) -> Iterable[Item]:
    """Return what an endpoint is told of content that it did not see itself.

    Calls that were made by somebody else are told with their results; their names need not be among the tools.
    """
    match content:
        case conversation.UserContent(content=text) if text:
            yield MessageItem(role="user", content=[InputText(text=text)])
        case conversation.AssistantContent(content=text, tool_calls=calls):
            if text:
                yield MessageItem(role="assistant", content=[OutputText(text=text)])
            for call in calls or ():
                yield FunctionCall(
                    name=call.tool_name, call_id=_short(call.id), arguments=json_dumps(call.tool_args)
                )
        case conversation.ToolResultContent(tool_call_id=call_id):
            yield FunctionCallOutput(call_id=_short(call_id), output=json_dumps(tool_data(content)))


def _short(call_id: str) -> str:
    """Return an id that endpoints take: no more than 32 characters."""
    return call_id[-32:]
