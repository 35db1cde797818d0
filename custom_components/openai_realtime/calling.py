"""How a session's speech travels: straight between one browser and the endpoint, or through Home Assistant.

Straight, it is a call over WebRTC. The browser offers a voice and nothing else: without a data channel it can neither
read the instructions nor send an event of its own. Home Assistant passes the offer on with its key, and holds the
session over a sideband. Where there is no call, or none any more, the session goes on over a connection of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from homeassistant.const import CONF_API_KEY, CONF_URL
from homeassistant.core import callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .agent import Agent
from .const import DOMAIN, LOGGER
from .dialling import dial
from .listener import Listener
from .vivavoce.client import calls
from .vivavoce.client.transport import Transport
from .vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError
from .vivavoce.protocol.session import DEFAULT_MODEL
from .vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["MOST_OFFER_CHARACTERS", "Calling", "check_offer"]

MOST_OFFER_CHARACTERS = 65_536
"""Chromium's offer of a voice has some 3,000."""
OFFER_SECONDS = 5.0
"""For an endpoint to answer an offer; a card waits for it before anything is heard."""
FREED_SECONDS = 1.0
"""For a connection to be over, before the next is opened."""
NO_CALLS = frozenset({404, 405, 501})
"""How an endpoint refuses that takes no calls at all."""
LEFT, BROKEN = 1012, 1006
"""Close codes after which a session goes on over another connection."""


def check_offer(offer: str) -> None:
    """Raise `ProtocolError` for an offer of anything but one voice."""
    sections = [line.partition(" ")[0] for line in offer.splitlines() if line.startswith("m=")]
    if sections != ["m=audio"]:
        raise ProtocolError(
            f"Expected an offer of one voice (m=audio) and nothing else, and got {', '.join(sections) or 'none'}.",
            code="not_allowed",
            param="offer",
        )


@dataclass(frozen=True, slots=True)
class _Offered:
    """A call that a browser would have."""

    caller: Listener
    offer: str
    answered: Callable[[str], bool]
    decided: asyncio.Future[None]


class Calling:
    """Opens the connections of one session: `connect` is its transport. ``over`` is told whose call has ended."""

    def __init__(self, agent: Agent, over: Callable[[Listener], None]) -> None:
        self.caller: Listener | None = None
        """Whose speech goes straight; None where all of it goes through Home Assistant."""
        self._agent = agent
        self._over = over
        self._offered: _Offered | None = None
        self._way: _Way | None = None

    @callback
    def offer(self, caller: Listener, offer: str, answered: Callable[[str], bool]) -> asyncio.Future[None]:
        """Take a browser's offer for the next connection, which is made at once where there is one already.

        ``answered`` is given the endpoint's answer, if it takes the call: some say nothing before the caller is there.
        It returns whether there is still somebody who wants it. What is returned is done when that is decided.
        """
        decided = asyncio.get_running_loop().create_future()
        if self._agent.takes_calls:
            self._offered = _Offered(caller, offer, answered, decided)
            self.end()
        else:
            decided.set_result(None)
        return decided

    @callback
    def withdraw(self) -> None:
        """Forget an offer that nobody has taken."""
        self._offered = None

    @callback
    def end(self) -> None:
        """End the call, or what connection there is; the session goes on over another."""
        if self._way is not None:
            self._way.leave()

    async def connect(self) -> Transport:
        """Open the next connection. Raises `ConnectionFailed`."""
        if self._way is not None:
            await self._way.closed()
        offered, self._offered = self._offered, None
        way = None
        if offered is not None:
            way = await self._call(offered)
            if not offered.decided.done():
                offered.decided.set_result(None)
        self._way = way or _Way(self._agent, await dial(self._agent))
        return self._way

    async def _call(self, offered: _Offered) -> _Way | None:
        """Begin a call; None where it cannot be had."""
        entry, call_id = self._agent.entry, ""
        params = RealtimeSessionParams(model=self._agent.model or DEFAULT_MODEL)
        try:
            begun = await calls.begin_call(
                async_get_clientsession(self._agent.hass),
                entry.data[CONF_URL],
                offered.offer,
                params,
                api_key=entry.data.get(CONF_API_KEY),
                timeout=OFFER_SECONDS,
            )
            call_id = begun.call_id
            sideband = await dial(self._agent, call_id)
        except ConnectionFailed as failed:
            LOGGER.debug("Speech goes through Home Assistant: %s", failed)
            self._agent.takes_calls = failed.status not in NO_CALLS
            if call_id:
                await self._hang_up(call_id)
            return None
        if not offered.answered(begun.answer):
            await sideband.close()
            await self._hang_up(call_id)
            return None
        LOGGER.debug("Speech goes straight: %s", call_id)
        caller = self.caller = offered.caller
        return _Way(self._agent, sideband, lambda: self._ended(caller, call_id))

    async def _ended(self, caller: Listener, call_id: str) -> None:
        if self.caller is caller:
            self.caller = None
            self._over(caller)
        await self._hang_up(call_id)

    async def _hang_up(self, call_id: str) -> None:
        entry = self._agent.entry
        try:
            await calls.hang_up(
                async_get_clientsession(self._agent.hass),
                entry.data[CONF_URL],
                call_id,
                api_key=entry.data.get(CONF_API_KEY),
                timeout=OFFER_SECONDS,
            )
        except ConnectionFailed as failed:
            LOGGER.debug("A call could not be hung up: %s", failed)


class _Way:
    """A connection that may be left for another. With ``ended`` it controls a call, whose end is not the session's."""

    def __init__(
        self, agent: Agent, transport: Transport, ended: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._agent = agent
        self._transport = transport
        self._ended = ended
        self._calls = ended is not None
        self._left = False
        self._closed = asyncio.Event()

    async def closed(self) -> None:
        """Wait a while until the endpoint has the place again, which may be its last."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FREED_SECONDS):
                await self._closed.wait()

    @callback
    def leave(self) -> None:
        if not self._left:
            self._left = True
            self._agent.entry.async_create_background_task(
                self._agent.hass, self._transport.close(), f"{DOMAIN}: leave a connection"
            )

    async def send(self, data: bytes | str) -> None:
        await self._transport.send(data)

    async def receive(self) -> str | bytes:
        try:
            return await self._transport.receive()
        except ConnectionLost as lost:
            if self._left:
                raise ConnectionLost(LEFT, "It is left for another.") from lost
            if self._calls:
                raise ConnectionLost(BROKEN, f"The call has ended: {lost.reason}") from lost
            raise

    async def close(self, code: int = 1000, reason: str = "") -> None:
        ended, self._ended = self._ended, None
        await self._transport.close(code, reason)
        if ended is not None:
            await ended()
        self._closed.set()
