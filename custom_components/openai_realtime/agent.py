"""An agent: what a subentry asks for, the sessions that it has open, and how it is."""

import asyncio
from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_API_KEY, CONF_LLM_HASS_API, CONF_MODEL, CONF_URL
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import chat_session, llm
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_call_later

from .activity import Activity
from .const import (
    BY_HOME_ASSISTANT,
    BY_SENSE,
    BY_SILENCE,
    CONF_IDLE,
    CONF_MAX_OUTPUT_TOKENS,
    CONF_SPEED,
    CONF_TRANSCRIPTION,
    CONF_TURN_DETECTION,
    CONF_VOICE,
    DEFAULT_IDLE,
    DEFAULT_TRANSCRIPTION,
    LOGGER,
)
from .dialling import dial, make_room
from .earshot import Earshot
from .health import Health
from .live import LiveSession, LiveTurn, NothingSaid, configure
from .vivavoce.client import RealtimeClient
from .vivavoce.client.line import Connect
from .vivavoce.client.retrying import Reconnect
from .vivavoce.errors import ConnectionLost, VivaVoceError
from .vivavoce.protocol.session import DEFAULT_MODEL as PROTOCOL_MODEL

if TYPE_CHECKING:
    from .cards import Cards
    from .direct import Direct
    from .mcp import McpApi

__all__ = ["Agent", "VivaVoceEntry", "VivaVoceRuntime"]


@dataclass(eq=False, slots=True)
class VivaVoceRuntime:
    """What an entry has while it is loaded."""

    agents: dict[str, Agent]
    """By the id of the subentry."""
    cards: Cards
    directs: dict[str, Direct] = field(default_factory=dict)
    """What actions say to them, likewise."""
    servers: dict[str, McpApi] = field(default_factory=dict)
    """MCP servers, likewise."""


VivaVoceEntry = ConfigEntry[VivaVoceRuntime]


class Agent:
    """One agent of an entry."""

    def __init__(self, hass: HomeAssistant, entry: VivaVoceEntry, subentry: ConfigSubentry) -> None:
        self.hass = hass
        self.entry = entry
        self.subentry = subentry
        self.options = subentry.data
        self.activity = Activity(self.model)
        self.takes_calls = True
        """Whether the endpoint may take calls over WebRTC: until it has said that it knows none."""
        self.usual: dict[str, Any] = {}
        """Instructions and tools of the last conversation. Another begins with them, most often rightly: an endpoint
        reads them while it hears the first words, and not only when it is to answer."""
        self._sessions: dict[str, LiveSession] = {}
        self._opening: dict[str, asyncio.Task[LiveSession]] = {}
        self._beginning = 0
        """How many of these have made room for their session."""
        self._idle: dict[str, CALLBACK_TYPE] = {}
        self._chats: dict[str, chat_session.ChatSession] = {}
        self._listeners: list[Callable[[], None]] = []
        self._health = Health(self, self._tell)
        self._following: set[asyncio.Task[None]] = set()
        self._missing: set[str] = set()
        self.activity.changed = self._tell

    # How it is.

    @property
    def model(self) -> str | None:
        """The model that is asked for; None where any will do."""
        return self.options.get(CONF_MODEL) or self.entry.data.get(CONF_MODEL)

    @property
    def sessions(self) -> dict[str, LiveSession]:
        """The sessions that are open, by the id of the conversation."""
        return dict(self._sessions)

    @property
    def places(self) -> int:
        """How many sessions its conversations have, and will have in a moment."""
        return len(self._sessions) + self._beginning

    @property
    def chats(self) -> list[chat_session.ChatSession]:
        """The conversations that it takes part in, with or without a session, until Home Assistant forgets them."""
        return list(self._chats.values())

    @property
    def resting(self) -> str | None:
        """The conversation that has waited longest for its next turn; rather one whose last turn was answered."""
        rest = [key for key in self._idle if key in self._sessions and not self._sessions[key].lock.locked()]
        return min(rest, key=lambda key: self._sessions[key].turn is not None, default=None)

    @property
    def available(self) -> bool:
        """Whether the endpoint was there when it was asked the last time."""
        return self._health.available

    @callback
    def failed(self, error: BaseException) -> HomeAssistantError:
        """Note what an error means for the agent, and return it as one that Home Assistant shows."""
        return self._health.failed(error)

    @callback
    def listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call a listener when anything of the state is another; what it returns takes it off again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tools(self) -> list[str]:
        """Return the APIs whose tools it may use: those of its options, and MCP servers that are for every agent.

        What is not there, such as a server that was removed, is left out, and logged once.
        """
        servers = self.entry.runtime_data.servers.values()
        wanted = [
            *self.options.get(CONF_LLM_HASS_API, []),
            *(server.id for server in servers if server.for_all),
        ]
        there = {api.id for api in llm.async_get_apis(self.hass)}
        missing = set(wanted) - there
        if missing - self._missing:
            LOGGER.warning("%s goes without tools that are gone: %s", self.subentry.title, ", ".join(missing))
        self._missing = missing
        return [api for api in dict.fromkeys(wanted) if api in there]

    # Sessions.

    def session_fields(self) -> dict[str, Any]:
        """Return what every session of this agent is, but for its instructions and tools."""
        detection = self.options.get(CONF_TURN_DETECTION, BY_HOME_ASSISTANT)
        fields: dict[str, Any] = {
            "transcription": {"model": self.options.get(CONF_TRANSCRIPTION) or DEFAULT_TRANSCRIPTION},
            "turn_detection": {"type": detection, "create_response": False, "interrupt_response": False}
            if detection in (BY_SILENCE, BY_SENSE)
            else None,
        }
        if voice := self.options.get(CONF_VOICE):
            fields["voice"] = voice
        if speed := self.options.get(CONF_SPEED):
            fields["speed"] = float(speed)
        if limit := self.options.get(CONF_MAX_OUTPUT_TOKENS):
            fields["max_output_tokens"] = int(limit)
        return fields

    def client(
        self, speaker: Earshot | None = None, *, transport: Connect | None = None, steady: float = 10.0
    ) -> RealtimeClient:
        """Return a client that is not connected yet, and followed by the agent's sensors.

        ``transport`` opens its connections in another way; ``steady`` is as in `Reconnect`.
        """
        client = RealtimeClient(
            self.entry.data[CONF_URL],
            api_key=self.entry.data.get(CONF_API_KEY),
            model=self.model or PROTOCOL_MODEL,
            http=async_get_clientsession(self.hass),
            transport=transport or partial(dial, self),
            reconnect=Reconnect(steady=steady),
            keep_items=200,
            speaker=speaker,
        )
        self.activity.follow(client)
        LOGGER.debug("Registering event handlers including function_call handler")
        self._health.follow(client)
        return client

    async def connected(self, client: RealtimeClient) -> RealtimeClient:
        """Connect a client. Raises a translated `HomeAssistantError`, and notes what it means for the agent."""
        try:
            await client.connect()
        except VivaVoceError as error:
            raise self.failed(error) from error
        self._health.succeeded()
        LOGGER.debug("Connected to OpenAI Realtime API")
        following = asyncio.create_task(self._follow(client), name="openai_realtime: follow a session")
        self._following.add(following)
        following.add_done_callback(self._following.discard)
        return client

    async def begin(self, client: RealtimeClient, **fields: Any) -> None:
        """Let a session that has just been connected be so; where that fails or is cancelled, it ends.

        Raises a translated `HomeAssistantError`.
        """
        try:
            await configure(client, **fields)
        except BaseException as error:
            await self.end(client)
            if isinstance(error, VivaVoceError):
                raise self.failed(error) from error
            raise

    async def _follow(self, client: RealtimeClient) -> None:
        """Read all that a session says, which nobody else does, and take note when it is over."""
        try:
            async for _ in client:
                pass
        except ConnectionLost as lost:
            self.failed(lost)
        self.activity.close(client)
        for conversation_id in [key for key, one in self._sessions.items() if one.client is client]:
            await self.drop(conversation_id)

    async def hear(
        self,
        session: LiveSession,
        speech: AsyncIterable[bytes],
        *,
        rate: int,
        language: str | None = None,
        aloud: bool = True,
    ) -> LiveTurn:
        """Hear a turn, which is to be answered ``aloud`` or in writing.

        Raises `NothingSaid`, or a translated `HomeAssistantError`.
        """
        fields = self.session_fields()
        if language:
            fields["transcription"]["language"] = language.split("-", maxsplit=1)[0]
        key = id(session.client)
        try:
            async with session.lock:
                await session.configure(**fields)
                self.activity.begin_turn(key)
                turn = await session.hear(speech, rate=rate)
        except NothingSaid:
            raise
        except VivaVoceError as error:
            raise self.failed(error) from error
        finally:
            self.activity.end_turn(key)
        turn.owner, turn.aloud = self.subentry.subentry_id, aloud
        return turn

    def interrupt(self) -> None:
        """Silence every answer that is being given."""
        for session in self._sessions.values():
            session.client.interrupt()

    async def session(self, conversation_id: str) -> LiveSession:
        """Return the session of a conversation, opened if need be. Raises a translated `HomeAssistantError`."""
        if (session := self._sessions.get(conversation_id)) is not None:
            self._keep(conversation_id)
            return session
        if (opening := self._opening.get(conversation_id)) is None:
            opening = self.hass.async_create_background_task(
                self._open(conversation_id), "openai_realtime: open a session"
            )
            self._opening[conversation_id] = opening
            opening.add_done_callback(lambda _: self._opening.pop(conversation_id, None))
        return await asyncio.shield(opening)

    async def _open(self, conversation_id: str) -> LiveSession:
        await make_room(self)
        self._beginning += 1
        try:
            fields = self.session_fields() | self.usual
            client = await self.connected(self.client(Earshot()))
            await self.begin(client, **fields)
        finally:
            self._beginning -= 1
        session = self._sessions[conversation_id] = LiveSession(client, fields)
        self._keep(conversation_id)
        self._tell()
        return session

    @callback
    def until_cleanup(self, session: chat_session.ChatSession) -> None:
        """Drop a conversation's session when Home Assistant forgets the conversation."""
        if session.conversation_id not in self._chats:
            self._chats[session.conversation_id] = session

            @callback
            def forget() -> None:
                self._chats.pop(session.conversation_id, None)
                self.entry.async_create_background_task(
                    self.hass, self.drop(session.conversation_id), "openai_realtime: drop a session"
                )

            session.async_on_cleanup(forget)

    async def drop(self, conversation_id: str) -> None:
        """End the session of a conversation; the next turn opens another, and is told what was said."""
        if (end := self._idle.pop(conversation_id, None)) is not None:
            end()
        if (session := self._sessions.pop(conversation_id, None)) is not None:
            await self.end(session.client)

    async def end(self, client: RealtimeClient) -> None:
        """End a session."""
        await client.close()
        self.activity.close(client)

    async def close(self) -> None:
        """End all sessions."""
        self._health.close()
        for opening in list(self._opening.values()):
            opening.cancel()
            with suppress(asyncio.CancelledError, HomeAssistantError):
                await opening
        for conversation_id in list(self._sessions):
            await self.drop(conversation_id)

    @callback
    def _keep(self, conversation_id: str) -> None:
        if (end := self._idle.pop(conversation_id, None)) is not None:
            end()

        async def drop(_: Any) -> None:
            session = self._sessions.get(conversation_id)
            if session is not None and session.lock.locked():
                self._keep(conversation_id)
            else:
                self._idle.pop(conversation_id, None)
                await self.drop(conversation_id)

        seconds = float(self.entry.options.get(CONF_IDLE, DEFAULT_IDLE))
        self._idle[conversation_id] = async_call_later(self.hass, seconds, drop)

    @callback
    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()
