"""The actions of the integration."""

import base64
import binascii
from types import MappingProxyType
from typing import Any

import voluptuous as vol
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import CONF_NAME, CONF_URL
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.service import async_register_admin_service

from .agent import VivaVoceEntry
from .compat import targets_of
from .const import ALLOW, ASK, CONF_ALLOWED, CONF_APPROVAL, CONF_FOR_ALL, CONF_TOKEN, DOMAIN, MCP_SERVER
from .direct import Direct
from .mcp import McpConnection, McpFailed

__all__ = ["async_setup_services"]

ATTR_MESSAGE = "message"
ATTR_CONVERSATION_ID = "conversation_id"
ATTR_AUDIO = "audio_data"
ATTR_ENTRY = "config_entry_id"


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""

    async def send_message(call: ServiceCall) -> ServiceResponse:
        direct = await _agent(call)
        return await direct.send_text(
            call.data[ATTR_MESSAGE], call.context, call.data.get(ATTR_CONVERSATION_ID)
        )

    async def send_audio(call: ServiceCall) -> ServiceResponse:
        direct = await _agent(call)
        return await direct.send_audio(_pcm(call.data[ATTR_AUDIO]), call.context)

    async def start_listening(call: ServiceCall) -> None:
        (await _agent(call)).start(call.context)

    async def stop_listening(call: ServiceCall) -> ServiceResponse:
        return await (await _agent(call)).stop()

    async def clear_conversation(call: ServiceCall) -> None:
        await (await _agent(call)).clear()

    told = {vol.Required(ATTR_MESSAGE): cv.string, vol.Optional(ATTR_CONVERSATION_ID): cv.string}
    for name, action, fields, response in (
        ("send_message", send_message, told, SupportsResponse.OPTIONAL),
        ("send_audio", send_audio, {vol.Required(ATTR_AUDIO): cv.string}, SupportsResponse.OPTIONAL),
        ("start_listening", start_listening, {}, SupportsResponse.NONE),
        ("stop_listening", stop_listening, {}, SupportsResponse.OPTIONAL),
        ("clear_conversation", clear_conversation, {}, SupportsResponse.NONE),
    ):
        hass.services.async_register(
            DOMAIN,
            name,
            action,
            schema=vol.Schema({**cv.ENTITY_SERVICE_FIELDS, **fields}),
            supports_response=response,
        )
    async_register_admin_service(
        hass,
        DOMAIN,
        "add_mcp_server",
        _add_mcp_server,
        schema=vol.Schema(
            {
                vol.Optional(ATTR_ENTRY): cv.string,
                vol.Required(CONF_NAME): cv.string,
                vol.Required(CONF_URL): cv.url,
                vol.Optional(CONF_TOKEN): cv.string,
                vol.Optional(CONF_ALLOWED): vol.All(cv.ensure_list, [cv.string]),
                vol.Optional(CONF_APPROVAL, default=ALLOW): vol.In((ALLOW, ASK)),
                vol.Optional(CONF_FOR_ALL, default=True): cv.boolean,
            }
        ),
        supports_response=SupportsResponse.OPTIONAL,
    )


def _pcm(written: str) -> bytes:
    try:
        pcm = base64.b64decode(written, validate=True)
        if len(pcm) % 2:
            raise ValueError("an odd number of bytes")  # noqa: TRY301
    except (binascii.Error, ValueError) as error:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="bad_audio",
            translation_placeholders={"error": str(error)},
        ) from error
    return pcm


def _loaded(hass: HomeAssistant) -> list[VivaVoceEntry]:
    return [
        entry for entry in hass.config_entries.async_entries(DOMAIN) if entry.state is ConfigEntryState.LOADED
    ]


async def _agent(call: ServiceCall) -> Direct:
    """Return the agent that a call is for, the one that is named, or the only one, if its user may control it."""
    directs: dict[str, Direct] = {
        key: direct for entry in _loaded(call.hass) for key, direct in entry.runtime_data.directs.items()
    }
    if (targets := targets_of(call.hass, call.data)) is not None:
        entities = er.async_get(call.hass)
        found = {entity.config_subentry_id for one in targets if (entity := entities.async_get(one))}
        directs = {key: direct for key, direct in directs.items() if key in found}
    if len(directs) != 1:
        key = "several_agents" if directs else "no_agent"
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key=key)
    (direct,) = directs.values()
    await _check_user(call, direct.entity_id("conversation"))
    return direct


async def _check_user(call: ServiceCall, entity_id: str) -> None:
    """Raise `Unauthorized` where a user may not control an entity; automations, which are nobody, may."""
    if (user_id := call.context.user_id) is None:
        return
    if (user := await call.hass.auth.async_get_user(user_id)) is None:
        raise UnknownUser(context=call.context, entity_id=entity_id, permission=POLICY_CONTROL)
    if not user.permissions.check_entity(entity_id, POLICY_CONTROL):
        raise Unauthorized(context=call.context, entity_id=entity_id, permission=POLICY_CONTROL)


async def _add_mcp_server(call: ServiceCall) -> ServiceResponse:
    """Add an MCP server to an endpoint, if it can be reached, and return the names of its tools."""
    hass, name = call.hass, call.data[CONF_NAME]
    entries = [entry for entry in _loaded(hass) if call.data.get(ATTR_ENTRY) in (None, entry.entry_id)]
    if len(entries) != 1:
        key = "several_agents" if entries else "no_agent"
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key=key)
    (entry,) = entries
    if any(one.subentry_type == MCP_SERVER and one.title == name for one in entry.subentries.values()):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="mcp_exists", translation_placeholders={"name": name}
        )
    data: dict[str, Any] = {
        key: value
        for key in (CONF_URL, CONF_TOKEN, CONF_ALLOWED, CONF_APPROVAL, CONF_FOR_ALL)
        if (value := call.data.get(key)) not in (None, "", [])
    }
    try:
        tools = await McpConnection(
            async_get_clientsession(hass), data[CONF_URL], data.get(CONF_TOKEN)
        ).tools()
    except McpFailed as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="mcp_failed",
            translation_placeholders={"name": name, "error": str(error)},
        ) from error
    subentry = ConfigSubentry(
        data=MappingProxyType(data), subentry_type=MCP_SERVER, title=name, unique_id=None
    )
    hass.config_entries.async_add_subentry(entry, subentry)
    allowed = data.get(CONF_ALLOWED)
    return {"tools": [tool["name"] for tool in tools if allowed is None or tool["name"] in allowed]}
