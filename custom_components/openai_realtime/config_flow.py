"""Setting up endpoints, their agents and their MCP servers."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
    SubentryFlowResult,
)
from homeassistant.const import (
    CONF_API_KEY,
    CONF_LLM_HASS_API,
    CONF_MODEL,
    CONF_NAME,
    CONF_PROMPT,
    CONF_URL,
    Platform,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import llm
from homeassistant.helpers import selector as sel
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .const import (
    AGENT,
    ALLOW,
    ALWAYS,
    ASK,
    BY_HOME_ASSISTANT,
    BY_MODEL,
    BY_SENSE,
    BY_SILENCE,
    COMPATIBLE,
    CONF_ALLOWED,
    CONF_APPROVAL,
    CONF_FOLLOW_UP,
    CONF_FOR_ALL,
    CONF_IDLE,
    CONF_KIND,
    CONF_MAX_OUTPUT_TOKENS,
    CONF_MAX_SESSIONS,
    CONF_SPEAKER,
    CONF_SPEED,
    CONF_TOKEN,
    CONF_TRANSCRIPTION,
    CONF_TURN_DETECTION,
    CONF_VOICE,
    DEFAULT_IDLE,
    DEFAULT_MAX_SESSIONS,
    DEFAULT_MODEL,
    DEFAULT_TRANSCRIPTION,
    DEFAULT_VOICE,
    DOMAIN,
    GATEWAY,
    GATEWAY_URL,
    LOGGER,
    MCP_SERVER,
    MODELS,
    NEVER,
    ON_QUESTION,
    OPENAI,
    OPENAI_URL,
    REFUSE,
    VOICES,
)
from .dialling import probe, takes_many_tools
from .health import is_refused_key
from .mcp import McpConnection, McpFailed
from .vivavoce.client.endpoints import realtime_url
from .vivavoce.errors import ConnectionFailed

PASSWORD = sel.TextSelector(sel.TextSelectorConfig(type=sel.TextSelectorType.PASSWORD))
URL = sel.TextSelector(sel.TextSelectorConfig(type=sel.TextSelectorType.URL))

TITLES = {OPENAI: "OpenAI", GATEWAY: "Viva Voce"}


def _choice(options: tuple[str, ...], *, key: str | None = None, custom: bool = False) -> sel.SelectSelector:
    config = sel.SelectSelectorConfig(
        options=list(options), custom_value=custom, mode=sel.SelectSelectorMode.DROPDOWN
    )
    if key is not None:
        config["translation_key"] = key
    return sel.SelectSelector(config)


def _number(least: float, most: float, step: float = 1) -> sel.NumberSelector:
    return sel.NumberSelector(
        sel.NumberSelectorConfig(min=least, max=most, step=step, mode=sel.NumberSelectorMode.BOX)
    )


class VivaVoceConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up an endpoint: OpenAI, a gateway of Viva Voce, or any other that speaks the protocol."""

    VERSION = 1
    MINOR_VERSION = 1

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:  # noqa: ARG002
        """Ask which kind of endpoint it is."""
        return self.async_show_menu(step_id="user", menu_options=[OPENAI, GATEWAY, COMPATIBLE])

    async def async_step_openai(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a key of OpenAI."""
        return await self._endpoint(OPENAI, OPENAI, user_input)

    async def async_step_gateway(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the gateway is."""
        return await self._endpoint(GATEWAY, GATEWAY, user_input)

    async def async_step_compatible(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the endpoint is."""
        return await self._endpoint(COMPATIBLE, COMPATIBLE, user_input)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:  # noqa: ARG002
        """Ask for another key: the present one was refused."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for another key."""
        kind = self._get_reauth_entry().data[CONF_KIND]
        return await self._endpoint("reauth_confirm", kind, user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for another key or address."""
        kind = self._get_reconfigure_entry().data[CONF_KIND]
        return await self._endpoint("reconfigure", kind, user_input)

    async def _endpoint(self, step: str, kind: str, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Ask for address and key, and test them before anything is made of them."""
        entry = self._entry()
        known = dict(entry.data) if entry else {CONF_URL: GATEWAY_URL if kind == GATEWAY else ""}
        errors: dict[str, str] = {}
        detail = ""
        if user_input is not None:
            data = {
                CONF_KIND: kind,
                CONF_URL: OPENAI_URL,
                **(known if self.source == SOURCE_REAUTH else {}),
                **{name: str(value).strip() for name, value in user_input.items() if str(value).strip()},
            }
            self._async_abort_entries_match(
                {CONF_URL: data[CONF_URL], CONF_API_KEY: data[CONF_API_KEY]}
                if CONF_API_KEY in data
                else {CONF_URL: data[CONF_URL]}
            )
            errors, detail = await self._test(data)
            if not errors and entry is not None:
                return self._changed(entry, data)
            if not errors:
                return await self._made(data)
            known |= user_input
        fields: dict[Any, Any] = {}
        if kind != OPENAI and self.source != SOURCE_REAUTH:
            fields[vol.Required(CONF_URL)] = URL
        fields[vol.Required(CONF_API_KEY) if kind == OPENAI else vol.Optional(CONF_API_KEY)] = PASSWORD
        if kind == COMPATIBLE and self.source != SOURCE_REAUTH:
            fields[vol.Optional(CONF_MODEL)] = sel.TextSelector()
        known.pop(CONF_API_KEY, None) if user_input is None else None
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(vol.Schema(fields), known),
            errors=errors,
            description_placeholders={"detail": detail, "keys_url": "https://platform.openai.com/api-keys"},
        )

    def _entry(self) -> ConfigEntry | None:
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        return self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None

    async def _test(self, data: dict[str, Any]) -> tuple[dict[str, str], str]:
        """Return what is wrong with an endpoint, by field, and in its own words."""
        try:
            realtime_url(data[CONF_URL])
        except ConnectionFailed as error:
            return {CONF_URL: "invalid_url"}, str(error)
        model = DEFAULT_MODEL if data[CONF_KIND] == OPENAI else data.get(CONF_MODEL)
        try:
            await probe(self.hass, data[CONF_URL], data.get(CONF_API_KEY), model)
        except ConnectionFailed as error:
            return {"base": "invalid_auth" if is_refused_key(error) else "cannot_connect"}, str(error)
        except Exception:  # noqa: BLE001 - whatever it is, the form says so
            LOGGER.exception("The endpoint could not be tested")
            return {"base": "unknown"}, ""
        return {}, ""

    def _changed(self, entry: ConfigEntry, data: dict[str, Any]) -> ConfigFlowResult:
        """Let an entry be so, and load it anew: by its listener, which is not there where its set-up has failed."""
        if entry.update_listeners:
            return self.async_update_and_abort(entry, data=data)
        return self.async_update_reload_and_abort(entry, data=data)

    async def _made(self, data: dict[str, Any]) -> ConfigFlowResult:
        kind = data[CONF_KIND]
        return self.async_create_entry(
            title=TITLES.get(kind) or str(realtime_url(data[CONF_URL]).host),
            data=data,
            subentries=[
                {
                    "subentry_type": AGENT,
                    "data": await default_agent(self.hass, data),
                    "title": "Realtime",
                    "unique_id": None,
                }
            ],
        )

    @classmethod
    @callback
    def async_get_supported_subentry_types(
        cls,
        config_entry: ConfigEntry,  # noqa: ARG003 - the interface
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what an endpoint can have."""
        return {AGENT: AgentFlow, MCP_SERVER: McpServerFlow}

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:  # noqa: ARG004 - the interface
        """Return the options of an endpoint."""
        return VivaVoceOptionsFlow()


class VivaVoceOptionsFlow(OptionsFlow):
    """How many sessions there may be, and how long they wait."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for both."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        schema = vol.Schema(
            {
                vol.Required(CONF_IDLE, default=DEFAULT_IDLE): _number(10, 3600),
                vol.Required(CONF_MAX_SESSIONS, default=DEFAULT_MAX_SESSIONS): _number(1, 100),
            }
        )
        return self.async_show_form(
            step_id="init", data_schema=self.add_suggested_values_to_schema(schema, self.config_entry.options)
        )


async def default_agent(hass: HomeAssistant, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an agent is that nobody has described yet, at an endpoint with such ``data``.

    It has Assist's tools, or those of this integration where the endpoint has no room for so many.
    """
    options: dict[str, Any] = {
        CONF_PROMPT: llm.DEFAULT_INSTRUCTIONS_PROMPT,
        CONF_LLM_HASS_API: [llm.LLM_API_ASSIST],
        CONF_VOICE: DEFAULT_VOICE,
    }
    if data[CONF_KIND] == OPENAI:
        return options | {CONF_MODEL: DEFAULT_MODEL}
    with suppress(ConnectionFailed):  # such as one that is full just now
        if not await takes_many_tools(hass, data[CONF_URL], data.get(CONF_API_KEY), data.get(CONF_MODEL)):
            options[CONF_LLM_HASS_API] = [DOMAIN]
    return options


class AgentFlow(ConfigSubentryFlow):
    """Add an agent to an endpoint, or change it."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Add an agent."""
        entry = self._get_entry()
        asked = user_input is None and entry.state is ConfigEntryState.LOADED
        known = await default_agent(self.hass, entry.data) if asked else {}
        return self._agent("user", known, user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Change an agent."""
        known = dict(self._get_reconfigure_subentry().data)
        there = {api.id for api in llm.async_get_apis(self.hass)}
        known[CONF_LLM_HASS_API] = [api for api in known.get(CONF_LLM_HASS_API, []) if api in there]
        return self._agent("reconfigure", known, user_input)

    def _agent(
        self, step: str, known: dict[str, Any], user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        new = step == "user"
        if user_input is not None:
            data = {name: value for name, value in user_input.items() if value not in ("", [], None)}
            title = str(data.pop(CONF_NAME, ""))
            if new:
                return self.async_create_entry(title=title, data=data)
            return self.async_update_and_abort(self._get_entry(), self._get_reconfigure_subentry(), data=data)
        fields: dict[Any, Any] = {vol.Required(CONF_NAME, default="Realtime"): str} if new else {}
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(vol.Schema(fields | self._fields()), known),
        )

    def _fields(self) -> dict[Any, Any]:
        apis = [sel.SelectOptionDict(label=api.name, value=api.id) for api in llm.async_get_apis(self.hass)]
        entities = er.async_get(self.hass).entities.values()
        players = [
            one.entity_id for one in entities if (one.platform, one.domain) == (DOMAIN, Platform.MEDIA_PLAYER)
        ]
        return {
            vol.Optional(CONF_MODEL): _choice(MODELS, custom=True),
            vol.Optional(CONF_VOICE): _choice(VOICES, custom=True),
            vol.Optional(CONF_PROMPT): sel.TemplateSelector(),
            vol.Optional(CONF_LLM_HASS_API): sel.SelectSelector(
                sel.SelectSelectorConfig(options=apis, multiple=True)
            ),
            vol.Optional(CONF_MAX_OUTPUT_TOKENS): _number(1, 4096),
            vol.Optional(CONF_SPEED): _number(0.25, 1.5, 0.05),
            vol.Required(CONF_TURN_DETECTION, default=BY_HOME_ASSISTANT): _choice(
                (BY_HOME_ASSISTANT, BY_SILENCE, BY_SENSE), key=CONF_TURN_DETECTION
            ),
            vol.Required(CONF_TRANSCRIPTION, default=DEFAULT_TRANSCRIPTION): _choice(
                (DEFAULT_TRANSCRIPTION, "gpt-4o-transcribe", "gpt-realtime-whisper", "whisper-1"), custom=True
            ),
            vol.Required(CONF_FOLLOW_UP, default=ON_QUESTION): _choice(
                (ON_QUESTION, BY_MODEL, ALWAYS, NEVER), key=CONF_FOLLOW_UP
            ),
            vol.Required(CONF_APPROVAL, default=ASK): _choice((ASK, ALLOW, REFUSE), key=CONF_APPROVAL),
            vol.Optional(CONF_SPEAKER): sel.EntitySelector(
                sel.EntitySelectorConfig(domain=Platform.MEDIA_PLAYER, exclude_entities=players)
            ),
        }


class McpServerFlow(ConfigSubentryFlow):
    """Add an MCP server to an endpoint, or change it."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Add a server."""
        return await self._server("user", {}, user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Change a server."""
        known = dict(self._get_reconfigure_subentry().data)
        return await self._server("reconfigure", known, user_input)

    async def _server(
        self, step: str, known: dict[str, Any], user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        new, detail, offered = step == "user", "", list(known.get(CONF_ALLOWED, []))
        errors: dict[str, str] = {}
        if user_input is not None:
            data = {name: value for name, value in user_input.items() if value not in ("", [], None)}
            title = str(data.pop(CONF_NAME, ""))
            errors, detail = await self._test(data, title if new else None)
            if not errors and new:
                return self.async_create_entry(title=title, data=data)
            if not errors:
                return self.async_update_and_abort(entry, self._get_reconfigure_subentry(), data=data)
            known = known | user_input
        if not new:
            server = entry.runtime_data.servers.get(self._get_reconfigure_subentry().subentry_id)
            offered = sorted({*offered, *(server.tools if server else ())})
        fields: dict[Any, Any] = {vol.Required(CONF_NAME): str} if new else {}
        fields |= {
            vol.Required(CONF_URL): URL,
            vol.Optional(CONF_TOKEN): PASSWORD,
            vol.Optional(CONF_ALLOWED): sel.SelectSelector(
                sel.SelectSelectorConfig(options=offered, multiple=True, custom_value=True)
            ),
            vol.Required(CONF_APPROVAL, default=ALLOW): _choice((ALLOW, ASK), key=CONF_APPROVAL),
            vol.Required(CONF_FOR_ALL, default=True): sel.BooleanSelector(),
        }
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(vol.Schema(fields), known),
            errors=errors,
            description_placeholders={"detail": detail},
        )

    async def _test(self, data: dict[str, Any], title: str | None) -> tuple[dict[str, str], str]:
        """Return what is wrong with a server, by field, and in words."""
        if title is not None and any(
            one.subentry_type == MCP_SERVER and one.title == title
            for one in self._get_entry().subentries.values()
        ):
            return {CONF_NAME: "name_taken"}, ""
        if not str(data[CONF_URL]).startswith(("http://", "https://")):
            return {CONF_URL: "invalid_url"}, ""
        http = async_get_clientsession(self.hass)
        try:
            await McpConnection(http, data[CONF_URL], data.get(CONF_TOKEN)).tools()
        except McpFailed as failed:
            return {"base": "invalid_auth" if failed.status in (401, 403) else "cannot_connect"}, str(failed)
        return {}, ""
