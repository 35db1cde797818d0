"""Talk with your home: agents of any Realtime endpoint as conversation agents, ears and voices."""

from homeassistant.const import CONF_API_KEY, CONF_MODEL, CONF_URL, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import llm
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType
from homeassistant.util.hass_dict import HassKey

from .agent import Agent, VivaVoceEntry, VivaVoceRuntime
from .approval import Approvals
from .builtin_tools import BuiltinApi
from .card import async_setup_card
from .cards import Cards
from .const import AGENT, DOMAIN, MCP_SERVER
from .dialling import FULL, probe
from .direct import Direct
from .health import is_refused_key
from .issues import async_check_agents, async_forget_issues
from .mcp import McpApi
from .services import async_setup_services
from .vivavoce.errors import ConnectionFailed
from .websocket_api import async_setup_websocket_api

PLATFORMS = (
    Platform.AI_TASK,
    Platform.BINARY_SENSOR,
    Platform.CONVERSATION,
    Platform.EVENT,
    Platform.MEDIA_PLAYER,
    Platform.SENSOR,
    Platform.STT,
    Platform.TTS,
)

APPROVALS: HassKey[Approvals] = HassKey(f"{DOMAIN}_approvals")

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:  # noqa: ARG001 - the interface
    """Set up what there is without any entry: actions, tools for language models, and the card."""
    approvals = hass.data[APPROVALS] = Approvals()
    llm.async_register_api(hass, BuiltinApi(hass, approvals))
    async_setup_services(hass)
    async_setup_websocket_api(hass)
    await async_setup_card(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: VivaVoceEntry) -> bool:
    """Set up an endpoint, if it can be reached; it may be full just now."""
    try:
        await probe(hass, entry.data[CONF_URL], entry.data.get(CONF_API_KEY), entry.data.get(CONF_MODEL))
    except ConnectionFailed as error:
        if is_refused_key(error):
            raise ConfigEntryAuthFailed(translation_domain=DOMAIN, translation_key="invalid_auth") from error
        if error.code != FULL:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="cannot_connect",
                translation_placeholders={"error": str(error)},
            ) from error
    runtime = entry.runtime_data = VivaVoceRuntime({}, Cards())
    for subentry_id, subentry in entry.subentries.items():
        if subentry.subentry_type == AGENT:
            agent = runtime.agents[subentry_id] = Agent(hass, entry, subentry)
            runtime.directs[subentry_id] = Direct(hass, agent)
        elif subentry.subentry_type == MCP_SERVER:
            server = runtime.servers[subentry_id] = McpApi(hass, entry, subentry, hass.data[APPROVALS])
            entry.async_on_unload(llm.async_register_api(hass, server))
            # Home Assistant's own server is not there before.
            entry.async_on_unload(async_at_started(hass, server.refresh))
    async_check_agents(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    entry.async_on_unload(entry.add_update_listener(_reload))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: VivaVoceEntry) -> bool:
    """End all sessions of an endpoint."""
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        await entry.runtime_data.cards.close()
        for direct in entry.runtime_data.directs.values():
            await direct.stop(cancel=True)
        for agent in entry.runtime_data.agents.values():
            await agent.close()
        gone = {*entry.runtime_data.agents, *entry.runtime_data.servers} - entry.subentries.keys()
        async_forget_issues(hass, *gone)
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: VivaVoceEntry) -> None:
    """Leave nothing behind of an endpoint."""
    async_forget_issues(hass, entry.entry_id, *entry.subentries)


async def _reload(hass: HomeAssistant, entry: VivaVoceEntry) -> None:
    """Let what was changed in the options or the subentries come true."""
    await hass.config_entries.async_reload(entry.entry_id)
