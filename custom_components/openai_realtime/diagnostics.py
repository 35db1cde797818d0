"""What may be shown of an endpoint to whoever helps: no keys, no words of anybody."""

from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_API_KEY, CONF_PROMPT
from homeassistant.core import HomeAssistant

from .agent import VivaVoceEntry
from .const import CONF_TOKEN
from .vivavoce import __version__

REDACTED = {CONF_API_KEY, CONF_TOKEN, CONF_PROMPT, "unique_id"}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    entry: VivaVoceEntry,
) -> dict[str, Any]:
    """Return what is known of an endpoint."""
    runtime = entry.runtime_data
    return {
        "version": __version__,
        "entry": async_redact_data(entry.as_dict(), REDACTED),
        "agents": [
            {
                "available": agent.available,
                "model": agent.activity.model,
                "sessions": len(agent.sessions),
                "responses": agent.activity.usage.responses,
                "tokens_read": agent.activity.usage.tokens.input,
                "tokens_written": agent.activity.usage.tokens.output,
                "first_audio_ms": agent.activity.first_audio_ms,
            }
            for agent in runtime.agents.values()
        ],
        "mcp_servers": [
            {"tools": server.tools, "failure": server.failure} for server in runtime.servers.values()
        ],
    }
