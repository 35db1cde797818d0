"""Talk with your home: agents of any Realtime endpoint as conversation agents, ears and voices."""

from homeassistant.const import CONF_API_KEY, CONF_URL, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .agent import Agent, VivaVoceEntry, VivaVoceRuntime, is_refused_key, probe
from .const import AGENT, DOMAIN
from .vivavoce.errors import ConnectionFailed

PLATFORMS = (
    Platform.AI_TASK,
    Platform.CONVERSATION,
    Platform.STT,
    Platform.TTS,
)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:  # noqa: ARG001 - the interface
    """Set up what there is without any entry."""
    return True


async def async_setup_entry(hass: HomeAssistant, entry: VivaVoceEntry) -> bool:
    """Set up an endpoint, if it can be reached."""
    try:
        await probe(hass, entry.data[CONF_URL], entry.data.get(CONF_API_KEY), None)
    except ConnectionFailed as error:
        if is_refused_key(error):
            raise ConfigEntryAuthFailed(translation_domain=DOMAIN, translation_key="invalid_auth") from error
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="cannot_connect",
            translation_placeholders={"error": str(error)},
        ) from error
    entry.runtime_data = VivaVoceRuntime(
        {
            subentry.subentry_id: Agent(hass, entry, subentry)
            for subentry in entry.subentries.values()
            if subentry.subentry_type == AGENT
        }
    )
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    entry.async_on_unload(entry.add_update_listener(_reload))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: VivaVoceEntry) -> bool:
    """End all sessions of an endpoint."""
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        for agent in entry.runtime_data.agents.values():
            await agent.close()
    return unloaded


async def _reload(hass: HomeAssistant, entry: VivaVoceEntry) -> None:
    """Let what was changed in the options or the subentries come true."""
    await hass.config_entries.async_reload(entry.entry_id)
