"""What may be shown of an endpoint to whoever helps: no keys, no words of anybody."""

from typing import Any

from homeassistant.components.diagnostics import REDACTED as REDACTED_TEXT
from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_API_KEY, CONF_PROMPT, CONF_URL
from homeassistant.core import HomeAssistant
from yarl import URL

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
        "entry": _bare(async_redact_data(entry.as_dict(), REDACTED)),
        "agents": [
            {
                "available": agent.available,
                "model": agent.activity.model,
                "sessions": len(agent.sessions),
                "card_sessions": runtime.cards.of(agent),
                "takes_calls": agent.takes_calls,
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


def _bare(told: Any) -> Any:
    """Return the same, with addresses that end with their paths: some have keys in their queries, or before hosts."""
    if isinstance(told, list):
        return [_bare(one) for one in told]
    if isinstance(told, dict):
        return {key: _address(value) if key == CONF_URL else _bare(value) for key, value in told.items()}
    return told


def _address(url: str) -> str:
    try:
        return str(URL(url).with_user(None).with_query(None).with_fragment(None))
    except ValueError:
        return REDACTED_TEXT
