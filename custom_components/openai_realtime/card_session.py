"""A live session that the cards of one user share: whoever speaks has the floor, and hears the answer.

Each browser is a `Listener`. All of them are told what is said; speech is taken from one at a time, since two
microphones in one buffer are no turn, and an answer sounds where it was asked for.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
from homeassistant.components import conversation
from homeassistant.const import CONF_PROMPT
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import llm
from homeassistant.helpers.event import async_call_later

from .agent import Agent
from .calling import Calling
from .card_events import Asked, Wishes, asked, item_event, session_event, told
from .const import (
    ASK,
    BY_SENSE,
    BY_SILENCE,
    CONF_APPROVAL,
    CONF_TURN_DETECTION,
    DOMAIN,
    LOGGER,
)
from .dialling import make_room
from .functions import Functions
from .listener import Listener
from .live import RATE
from .talking import prompt_of
from .vivavoce.client import RealtimeClient
from .vivavoce.client.configuration import session_changes
from .vivavoce.client.responses import ACTIVE
from .vivavoce.errors import ProtocolError, VivaVoceError
from .vivavoce.protocol import client_events as client
from .vivavoce.protocol import server_events as server
from .vivavoce.protocol.items import MessageItem

__all__ = ["CardSession"]

GRACE_SECONDS = 20.0
"""How long a session waits for somebody to come back: a page that is loaded anew, a network gone for a
moment."""
FLOOR_SECONDS = 1.0
"""Who has said nothing for so long may be followed by another."""
DECIDED_SECONDS = 10.0
"""For a session that is open to move to a call that is offered."""
STEADY_SECONDS = 1.0
"""A session moves with its pages, from call to call: a connection that has lasted so long was no failure."""
HUNG_UP = f"{DOMAIN}.hung_up"
"""Told to a browser whose call has ended: speech goes through Home Assistant from then on."""
MOST_WAITING_IN = 256
"""Frames and events from all browsers that wait for the endpoint; 10 s of frames of 40 ms."""
MOST_FRAME_BYTES = RATE * 2
"""One second."""


class CardSession:
    """One user's session with an agent, which can be opened and closed again and again."""

    def __init__(self, hass: HomeAssistant, agent: Agent, user_id: str, language: str | None = None) -> None:
        self.listeners: list[Listener] = []
        self._hass = hass
        self._agent = agent
        self._llm_context = llm.LLMContext(
            platform=DOMAIN,
            context=Context(user_id=user_id),
            language=language or hass.config.language,
            assistant=conversation.DOMAIN,
            device_id=None,
        )
        self._chat_log = conversation.ChatLog(hass, f"{DOMAIN}-card-{agent.subentry.subentry_id}-{user_id}")
        """Holds the instructions and the tools, and counts the user's turns for approvals."""
        self._client: RealtimeClient | None = None
        self._calling = Calling(agent, self._call_ended)
        self._opening = asyncio.Lock()
        self._beginning = False
        """Whether room was made for it."""
        self._inbox: asyncio.Queue[tuple[Listener, Asked | Wishes | bytes]] = asyncio.Queue(MOST_WAITING_IN)
        self._tasks: list[asyncio.Task[None]] = []
        self._requests: dict[str, tuple[Listener, str | None]] = {}
        """Who has asked for a response, and how they call it, by our own name for it."""
        self._floor: Listener | None = None
        self._floor_at = 0.0
        self._session_wishes = Wishes()
        self._grace: CALLBACK_TYPE | None = None

    # Who listens.

    @callback
    def join(self, listener: Listener) -> None:
        """Let a browser listen and speak, and tell it what was said before. The session is open."""
        self._wait_no_longer()
        self.listeners.append(listener)
        self._tell_one(listener, self._described("session.created", listener.wishes))
        for item in self._connected.conversation.items:
            if (event := item_event(item)) is not None:
                self._tell_one(listener, event)

    @callback
    def leave(self, listener: Listener) -> None:
        """Let a browser go; without any, the session ends in a while."""
        if listener in self.listeners:
            self.listeners.remove(listener)
        self.hang_up(listener)
        if self._floor is listener:
            self._floor = None
        if self.is_open and not self.listeners:
            self._wait_no_longer()
            self._grace = async_call_later(self._hass, GRACE_SECONDS, self._end_soon)

    @callback
    def take(self, listener: Listener, given: dict[str, Any] | bytes) -> None:
        """Take what a browser sends: an event, or PCM16 at 24 kHz; empty, it says that speech goes by its call.

        Raises `ProtocolError` for what cannot be, and `HomeAssistantError` where too much waits already.
        """
        if isinstance(given, bytes) and (len(given) % 2 or len(given) > MOST_FRAME_BYTES):
            raise ProtocolError(
                f"Expected PCM16 of up to {MOST_FRAME_BYTES} bytes, and got {len(given)} bytes.",
                code="invalid_audio",
            )
        item = given if isinstance(given, bytes) else asked(given)
        try:
            self._inbox.put_nowait((listener, item))
        except asyncio.QueueFull:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="congested") from None

    @callback
    def hang_up(self, listener: Listener) -> None:
        """End a browser's call, if it has one: it goes on through Home Assistant."""
        if self._calling.caller is listener:
            self._calling.end()

    # From beginning to end.

    @property
    def is_open(self) -> bool:
        """Whether there is a session at the endpoint."""
        return self._client is not None

    @property
    def has_place(self) -> bool:
        """Whether there is a session at the endpoint, or will be in a moment."""
        return self.is_open or self._beginning

    async def open(self, listener: Listener, offer: str | None, answered: Callable[[str], bool]) -> None:
        """Open the session, if it is not, with a call for a browser that offers one: see `Calling.offer`.

        Nobody else who speaks or hears is sent another way for it. Raises a translated `HomeAssistantError`.
        """
        self._wait_no_longer()
        async with self._opening:
            decided = self._calling.offer(listener, offer, answered) if offer and not self.listeners else None
            try:
                if not self.is_open:
                    await make_room(self._agent)
                    self._beginning = True
                    await self._open()
                elif decided is not None:
                    await asyncio.wait([decided], timeout=DECIDED_SECONDS)
            finally:
                self._beginning = False
                self._calling.withdraw()

    async def _open(self) -> None:
        entry, options, log = self._agent.entry, self._agent.options, self._chat_log
        del log.content[1:]
        await log.async_provide_llm_data(
            self._llm_context, self._agent.tools() or None, options.get(CONF_PROMPT)
        )
        opened = self._agent.client(transport=self._calling.connect, steady=STEADY_SECONDS)
        opened.add_tools(*Functions(log.llm_api).live(log, options.get(CONF_APPROVAL, ASK)))
        await self._agent.connected(opened)
        fields = self._agent.session_fields() | self._fields(self._session_wishes)
        LOGGER.debug("Updating session with %d tools", len(log.llm_api.tools) if log.llm_api else 0)
        await self._agent.begin(opened, **fields, instructions=prompt_of(log))
        self._client = opened
        self._tasks = [
            entry.async_create_background_task(self._hass, work, f"{DOMAIN}: {name}")
            for work, name in (
                (self._follow(opened), "follow a session"),
                (self._pump(opened), "speak to it"),
            )
        ]

    @property
    def _connected(self) -> RealtimeClient:
        if self._client is None:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="session_ended")
        return self._client

    async def close(self, error: HomeAssistantError | None = None) -> None:
        """End the session, and tell everybody."""
        self._wait_no_longer()
        async with self._opening:
            opened, self._client = self._client, None
            for listener in list(self.listeners):
                listener.end(
                    error or HomeAssistantError(translation_domain=DOMAIN, translation_key="session_ended")
                )
            tasks, self._tasks = self._tasks, []
            for task in tasks:
                if task is not asyncio.current_task():
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
            if opened is not None:
                await self._agent.end(opened)

    @callback
    def _end_soon(self, _: datetime) -> None:
        self._grace = None
        self._agent.entry.async_create_background_task(self._hass, self.close(), f"{DOMAIN}: end a session")

    @callback
    def _wait_no_longer(self) -> None:
        if self._grace is not None:
            self._grace()
            self._grace = None

    # From browsers to the endpoint.

    async def _pump(self, opened: RealtimeClient) -> None:
        while True:
            listener, given = await self._inbox.get()
            if listener not in self.listeners:
                continue
            try:
                if isinstance(given, bytes):
                    await self._hear(opened, listener, given)
                elif isinstance(given, Wishes):
                    await self._wish(opened, listener, given)
                else:
                    await self._do(opened, listener, given)
            except VivaVoceError as error:
                if self._client is not opened:
                    return
                self._tell_one(listener, _refusal(error, getattr(given, "event_id", None) or None))

    async def _hear(self, opened: RealtimeClient, listener: Listener, pcm: bytes) -> None:
        now = self._hass.loop.time()
        holder = self._floor
        if holder is not listener:
            deliberate = holder is not None and holder.wishes.hands_free and not listener.wishes.hands_free
            if holder is not None and now - self._floor_at < FLOOR_SECONDS and not deliberate:
                return
            await self._take_floor(opened, listener)
            if holder is not None:
                await opened.send(client.InputAudioBufferClear())
        self._floor_at = now
        if pcm:
            await opened.send_audio(pcm, RATE)

    async def _take_floor(self, opened: RealtimeClient, listener: Listener) -> None:
        """Let a browser be the one that is heard, as it wants to be, and the other fall silent."""
        if self._calling.caller not in (None, listener):
            self._calling.end()
        other, self._floor = self._floor, listener
        if other is not None and other is not listener:  # somebody else has begun to speak
            for kind in ("started", "stopped"):
                self._tell_one(
                    other,
                    {
                        "type": f"input_audio_buffer.speech_{kind}",
                        "event_id": f"event_floor_{kind}",
                        "item_id": "floor",
                    },
                )
        if listener.wishes != self._session_wishes:
            self._session_wishes = listener.wishes
            await opened.send(client.SessionUpdate(session=session_changes(self._fields(listener.wishes))))

    async def _wish(self, opened: RealtimeClient, listener: Listener, wishes: Wishes) -> None:
        listener.wishes = wishes
        self._tell_one(listener, self._described("session.updated", wishes))
        if self._floor in (None, listener):
            await self._take_floor(opened, listener)

    async def _do(self, opened: RealtimeClient, listener: Listener, event: Asked) -> None:
        match event:
            case client.InputAudioBufferCommit() | client.InputAudioBufferClear() if (
                self._floor is not listener
            ):
                return  # its speech was not taken
            case client.OutputAudioBufferClear() if self._calling.caller is not listener:
                return  # its call has ended meanwhile
            case client.ResponseCancel():
                opened.cancel()
            case client.ResponseCreate():
                await self._take_floor(opened, listener)
                reply = await opened.create_response()
                self._requests[reply.request.event_id] = (listener, event.event_id or None)
                if len(self._requests) > MOST_WAITING_IN:
                    del self._requests[next(iter(self._requests))]
            case client.ConversationItemCreate(item=item):
                if item.id and any(known.id == item.id for known in opened.conversation.items):
                    return  # a browser that is back tells what it knows
                if isinstance(item, MessageItem) and item.role == "user":
                    self._note_turn()
                await opened.send(event)
            case _:
                await opened.send(event)

    def _fields(self, wishes: Wishes) -> dict[str, Any]:
        detection = self._agent.options.get(CONF_TURN_DETECTION)
        finds = {
            "type": detection if detection in (BY_SILENCE, BY_SENSE) else BY_SILENCE,
            "create_response": True,
            "interrupt_response": True,
        }
        return {
            "turn_detection": finds if wishes.hands_free else None,
            "output_modalities": ["audio" if wishes.aloud else "text"],
        }

    # From the endpoint to browsers.

    async def _follow(self, opened: RealtimeClient) -> None:
        error: HomeAssistantError | None = None
        try:
            async for event in opened.events():
                self._tell_all(event)
        except VivaVoceError as lost:
            error = self._agent.failed(lost)
        await self.close(error)

    def _tell_all(self, event: Any) -> None:
        match event:
            case server.InputAudioBufferCommitted():
                self._note_turn()
            case server.ErrorEvent(error=wrong) if wrong.code == ACTIVE:
                return  # it is asked again
            case server.ErrorEvent(error=wrong) if wrong.event_id in self._requests:
                listener, event_id = self._requests.pop(wrong.event_id)
                self._tell_one(listener, _refusal(ProtocolError(wrong.message, code=wrong.code), event_id))
                return
        if (shown := told(event)) is None:
            return
        data = msgspec.json.encode(shown)
        sound = isinstance(event, server.ResponseOutputAudioDelta)
        for listener in list(self.listeners):
            if not sound or (self._floor in (None, listener) and self._calling.caller is not listener):
                self._send(listener, data)

    @callback
    def _call_ended(self, listener: Listener) -> None:
        if listener in self.listeners:
            self._tell_one(listener, {"type": HUNG_UP})

    def _tell_one(self, listener: Listener, event: dict[str, Any]) -> None:
        self._send(listener, msgspec.json.encode(event))

    def _send(self, listener: Listener, data: bytes) -> None:
        if not listener.tell(data):
            self.leave(listener)
            listener.end(HomeAssistantError(translation_domain=DOMAIN, translation_key="congested"))

    def _described(self, kind: str, wishes: Wishes) -> dict[str, Any]:
        session = self._connected.session
        return session_event(kind, (session and session.id) or "session", self._agent.activity.model, wishes)

    def _note_turn(self) -> None:
        self._chat_log.content.append(conversation.UserContent(content="…"))


def _refusal(error: VivaVoceError, event_id: str | None) -> dict[str, Any]:
    """Return an error as a browser is told of it."""
    return {
        "type": "error",
        "event_id": "event_refusal",
        "error": {
            "type": "invalid_request_error",
            "code": getattr(error, "code", None),
            "message": getattr(error, "message", None) or str(error),
            "event_id": event_id,
        },
    }
