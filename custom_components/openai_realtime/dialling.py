"""How connections to an entry's endpoint are opened, also where it has no place left.

An engine at home holds a few sessions at once. A conversation that only waits for its next turn gives up its place for
one that begins: what was said in it is told to the session with which it goes on.
"""

import asyncio
from typing import TYPE_CHECKING

from homeassistant.const import CONF_API_KEY, CONF_URL
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .const import LOGGER
from .vivavoce.client.transport import Transport, WebSocketTransport
from .vivavoce.errors import ConnectionFailed
from .vivavoce.protocol.session import DEFAULT_MODEL

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from .agent import Agent

__all__ = ["dial", "probe"]

FULL = "session_limit_reached"
ATTEMPTS = 20
AGAIN_SECONDS = 0.1
"""How often, and after how long each time, a place is asked for that has been given up."""


async def probe(hass: HomeAssistant, url: str, api_key: str | None, model: str | None) -> None:
    """Open a session and end it again: it costs nothing. Raises `ConnectionFailed`."""
    transport = await WebSocketTransport.connect(
        url, api_key=api_key, model=model or DEFAULT_MODEL, session=async_get_clientsession(hass)
    )
    await transport.close()


async def dial(agent: Agent, call_id: str | None = None) -> Transport:
    """Open a connection, or one that controls a call. Raises `ConnectionFailed`."""
    attempts = 0
    while True:
        try:
            return await WebSocketTransport.connect(
                agent.entry.data[CONF_URL],
                api_key=agent.entry.data.get(CONF_API_KEY),
                model=agent.model or DEFAULT_MODEL,
                call_id=call_id,
                session=async_get_clientsession(agent.hass),
            )
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


async def _made_room(agent: Agent) -> bool:
    """End the session of a conversation that rests, of whichever agent; tell whether there was one."""
    for other in (agent, *agent.entry.runtime_data.agents.values()):
        if (conversation_id := other.resting) is not None:
            LOGGER.debug("%s is full: %s gives up its place", agent.entry.title, conversation_id)
            await other.drop(conversation_id)
            return True
    return False
