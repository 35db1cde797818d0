"""What the page about the system's health says."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:  # noqa: ARG001
    """Say who tells."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    entries = hass.config_entries.async_entries(DOMAIN)
    loaded = [entry for entry in entries if entry.state is ConfigEntryState.LOADED]
    agents = [agent for entry in loaded for agent in entry.runtime_data.agents.values()]
    return {
        "endpoints": f"{len(loaded)} of {len(entries)}",
        "agents": len(agents),
        "sessions": sum(len(agent.sessions) for agent in agents),
        "card_sessions": sum(len(entry.runtime_data.cards) for entry in loaded),
        "reach_openai": system_health.async_check_can_reach_url(hass, "https://api.openai.com/v1/models"),
    }
