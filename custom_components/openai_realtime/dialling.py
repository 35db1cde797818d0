"""How connections to an entry's endpoint are opened, also where it, or the entry's options, leave no place.

An engine at home holds a few sessions at once. A conversation that only waits for its next turn gives up its place for
one that begins: what was said in it is told to the session with which it goes on.
"""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from homeassistant.const import CONF_API_KEY, CONF_URL
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .const import CONF_MAX_SESSIONS, DEFAULT_MAX_SESSIONS, DOMAIN, LOGGER
from .vivavoce.client.transport import Transport, WebSocketTransport
from .vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError
from .vivavoce.protocol.client_events import SessionUpdate
from .vivavoce.protocol.codec import encode, event_type
from .vivavoce.protocol.session import DEFAULT_MODEL
from .vivavoce.protocol.session_params import RealtimeSessionParams
from .vivavoce.protocol.tools import FunctionTool, Tool

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from .agent import Agent

__all__ = ["FULL", "dial", "make_room", "probe", "takes_many_tools"]

FULL = "session_limit_reached"
"""The code of an endpoint that is there, and has no place left."""
ATTEMPTS = 20
AGAIN_SECONDS = 0.1
"""How often, and after how long each time, a place is asked for that has been given up."""


STAND_INS: list[Tool] = [
    FunctionTool(
        name=f"stand_in_{number}",
        description="Never call it. " * 100,
        parameters={"type": "object", "properties": {}},
    )
    for number in range(8)
]
"""As much to read as Assist's tools are in a home with devices of many kinds: some 12,000 characters."""
ANSWER_SECONDS = 5.0


async def _connect(
    hass: HomeAssistant, url: str, api_key: str | None, model: str | None, call_id: str | None = None
) -> Transport:
    return await WebSocketTransport.connect(
        url,
        api_key=api_key,
        model=model or DEFAULT_MODEL,
        call_id=call_id,
        session=async_get_clientsession(hass),
    )


async def probe(hass: HomeAssistant, url: str, api_key: str | None, model: str | None) -> None:
    """Open a session and end it again: it costs nothing. Raises `ConnectionFailed`."""
    transport = await _connect(hass, url, api_key, model)
    await transport.close()


async def takes_many_tools(hass: HomeAssistant, url: str, api_key: str | None, model: str | None) -> bool:
    """Open a session, and tell whether it takes as many tools as Assist may have. Raises `ConnectionFailed`.

    A model that runs at home may have no room for them. An endpoint that does not say so is taken to have.
    """
    transport = await _connect(hass, url, api_key, model)
    update = SessionUpdate(session=RealtimeSessionParams(tools=STAND_INS))
    kind = ""
    try:
        with suppress(ConnectionLost, ProtocolError, TimeoutError):
            await transport.send(encode(update))
            async with asyncio.timeout(ANSWER_SECONDS):
                while kind not in ("session.updated", "error"):
                    kind = event_type(await transport.receive())
    finally:
        await transport.close()
    return kind != "error"


async def dial(agent: Agent, call_id: str | None = None) -> Transport:
    """Open a connection, or one that controls a call. Raises `ConnectionFailed`."""
    attempts = 0
    while True:
        try:
            data = agent.entry.data
            return await _connect(agent.hass, data[CONF_URL], data.get(CONF_API_KEY), agent.model, call_id)
        except ConnectionFailed as failed:
            if failed.code != FULL:
                raise
            if attempts:
                attempts -= 1
                await asyncio.sleep(AGAIN_SECONDS)
            elif await _made_room(agent):
                attempts = ATTEMPTS
            else:
                raise


async def make_room(agent: Agent) -> None:
    """See to it that there may be one more session, of all that the agents of an entry have and their cards.

    Who asks takes it at once. Raises a translated `HomeAssistantError`.
    """
    runtime = agent.entry.runtime_data
    most = int(agent.entry.options.get(CONF_MAX_SESSIONS, DEFAULT_MAX_SESSIONS))
    while runtime.cards.places + sum(other.places for other in runtime.agents.values()) >= most:
        if not await _made_room(agent):
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="too_many_sessions")


async def _made_room(agent: Agent) -> bool:
    """End the session of a conversation that rests, of whichever agent; tell whether there was one."""
    for other in (agent, *agent.entry.runtime_data.agents.values()):
        if (conversation_id := other.resting) is not None:
            LOGGER.debug("%s has no place left: %s gives up its own", agent.entry.title, conversation_id)
            await other.drop(conversation_id)
            return True
    return False
