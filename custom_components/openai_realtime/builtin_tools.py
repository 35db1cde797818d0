"""Four tools for the home, as an API for language models: states, areas, domains, and any action on what is exposed."""

from typing import Any

import voluptuous as vol
from homeassistant.components.homeassistant import async_should_expose
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import llm
from homeassistant.util.json import JsonObjectType

from .approval import Approvals
from .compat import ToolAnswer, annotated, tool_answer
from .const import DOMAIN

__all__ = ["BuiltinApi"]

PROMPT = (
    "Use get_area_entities and get_entities_by_domain to find entities, get_entity_state to know how they are, and "
    "call_service to act on them. Never guess an entity id."
)

RISKY = {
    "alarm_control_panel": {"alarm_arm_away", "alarm_arm_home", "alarm_arm_night", "alarm_arm_vacation"},
    "lock": {"lock"},
}
"""Domains that guard the home, and the services there that do no harm."""
RISKY_COVERS = {"garage", "gate", "door"}
ANYWHERE = {"turn_on", "turn_off", "toggle"}
"""Services of the domain homeassistant that fit entities of any domain."""
MOST_ENTITIES = 200


def _told(state: State, *, whole: bool = False) -> JsonObjectType:
    told: JsonObjectType = {"entity_id": state.entity_id, "name": state.name, "state": state.state}
    if whole:
        told["attributes"] = {
            name: value if isinstance(value, str | int | float | bool | None) else str(value)
            for name, value in state.attributes.items()
            if name not in {"access_token", "entity_picture"}
        }
        told["last_changed"] = state.last_changed.isoformat()
    return told


class _HomeTool(llm.Tool):
    """A tool that sees what is exposed to the assistant at hand."""

    integration = DOMAIN

    @callback
    def visible(self, hass: HomeAssistant, context: llm.LLMContext, entity_id: str) -> State:
        """Return the state of an entity. Raises `HomeAssistantError`, for the model to read, where none is exposed."""
        state = hass.states.get(entity_id)
        if state is None or not _exposed(hass, context, entity_id):
            raise HomeAssistantError(f"There is no entity {entity_id} that assistants may use.")
        return state


def _exposed(hass: HomeAssistant, context: llm.LLMContext, entity_id: str) -> bool:
    return async_should_expose(hass, context.assistant or "conversation", entity_id)


def _list(states: list[State]) -> ToolAnswer:
    told: JsonObjectType = {"entities": [_told(state) for state in states[:MOST_ENTITIES]]}
    if len(states) > MOST_ENTITIES:
        told["note"] = f"{len(states) - MOST_ENTITIES} more are not shown."
    return tool_answer(told)


class GetEntityState(_HomeTool):
    """How an entity is."""

    name = "get_entity_state"
    description = "Get the state and the attributes of an entity."
    parameters = vol.Schema({vol.Required("entity_id", description="Such as light.kitchen"): cv.entity_id})
    annotations = annotated(read_only=True)

    async def async_call(
        self, hass: HomeAssistant, tool_input: llm.ToolInput, llm_context: llm.LLMContext
    ) -> ToolAnswer:
        """Tell it."""
        given = self.parameters(tool_input.tool_args)
        return tool_answer(_told(self.visible(hass, llm_context, given["entity_id"]), whole=True))


class GetEntitiesByDomain(_HomeTool):
    """What there is of a kind."""

    name = "get_entities_by_domain"
    description = "List the entities of a domain, with their states."
    parameters = vol.Schema({vol.Required("domain", description="Such as light"): cv.string})
    annotations = annotated(read_only=True)

    async def async_call(
        self, hass: HomeAssistant, tool_input: llm.ToolInput, llm_context: llm.LLMContext
    ) -> ToolAnswer:
        """List them."""
        given = self.parameters(tool_input.tool_args)
        states = hass.states.async_all(given["domain"])
        return _list([state for state in states if _exposed(hass, llm_context, state.entity_id)])


class GetAreaEntities(_HomeTool):
    """What there is in a room."""

    name = "get_area_entities"
    description = "List the entities of an area, with their states."
    parameters = vol.Schema(
        {vol.Required("area", description="Its name, an alias or its id, such as Kitchen"): cv.string}
    )
    annotations = annotated(read_only=True)

    async def async_call(
        self, hass: HomeAssistant, tool_input: llm.ToolInput, llm_context: llm.LLMContext
    ) -> ToolAnswer:
        """List them."""
        named = str(self.parameters(tool_input.tool_args)["area"]).strip().casefold()
        areas = ar.async_get(hass).async_list_areas()
        area = next(
            (
                area
                for area in areas
                if named
                in {area.id, area.name.casefold(), *(str(alias).casefold() for alias in area.aliases)}
            ),
            None,
        )
        if area is None:
            raise HomeAssistantError(
                f"There is no area {named!r}; there are: {', '.join(area.name for area in areas)}."
            )
        states = [
            state
            for state in hass.states.async_all()
            if _area_of(hass, state.entity_id) == area.id and _exposed(hass, llm_context, state.entity_id)
        ]
        return _list(states)


class CallService(_HomeTool):
    """Do something."""

    name = "call_service"
    description = "Call a Home Assistant action on entities."
    parameters = vol.Schema(
        {
            vol.Required("domain", description="Such as light"): cv.string,
            vol.Required("service", description="Such as turn_on"): cv.string,
            vol.Required("entity_id", description="The entities to act on"): cv.entity_ids,
            vol.Optional("data", description="Further data, such as brightness_pct"): dict,
        }
    )
    annotations = annotated(read_only=False)

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    async def async_call(
        self, hass: HomeAssistant, tool_input: llm.ToolInput, llm_context: llm.LLMContext
    ) -> ToolAnswer:
        """Do it, if it may be done."""
        given = self.parameters(tool_input.tool_args)
        domain, service, data = given["domain"], given["service"], given.get("data", {})
        entities: list[str] = given["entity_id"]
        if not hass.services.has_service(domain, service):
            raise HomeAssistantError(f"There is no service {domain}.{service}.")
        if not entities or {"entity_id", "device_id", "area_id", "floor_id", "label_id"} & data.keys():
            raise HomeAssistantError("Name the entities in entity_id, and nowhere else.")
        states = [self.visible(hass, llm_context, entity_id) for entity_id in entities]
        for state in states:
            if domain != state.domain and not (domain == "homeassistant" and service in ANYWHERE):
                raise HomeAssistantError(f"{domain}.{service} does not act on {state.entity_id}.")
        if any(_risky(state, service) for state in states) and (
            told := self._approvals.check(f"{domain}.{service}", dict(tool_input.tool_args))
        ):
            return told
        await hass.services.async_call(
            domain,
            service,
            {**data, "entity_id": entities},
            blocking=True,
            context=llm_context.context,
        )
        after = [now for entity_id in entities if (now := hass.states.get(entity_id))]
        return tool_answer({"success": True, "entities": [_told(state) for state in after]})


def _risky(state: State, service: str) -> bool:
    if state.domain == "cover":
        return state.attributes.get("device_class") in RISKY_COVERS and service not in {
            "close_cover",
            "stop_cover",
        }
    return state.domain in RISKY and service not in RISKY[state.domain]


def _area_of(hass: HomeAssistant, entity_id: str) -> str | None:
    if (entry := er.async_get(hass).async_get(entity_id)) is None:
        return None
    if (
        entry.area_id is None
        and entry.device_id
        and (device := dr.async_get(hass).async_get(entry.device_id))
    ):
        return device.area_id
    return entry.area_id


class BuiltinApi(llm.API):
    """The four of them."""

    def __init__(self, hass: HomeAssistant, approvals: Approvals) -> None:
        super().__init__(hass=hass, id=DOMAIN, name="Viva Voce tools")
        self._tools: list[Any] = [
            GetEntityState(),
            GetEntitiesByDomain(),
            GetAreaEntities(),
            CallService(approvals),
        ]

    async def async_get_api_instance(self, llm_context: llm.LLMContext) -> llm.APIInstance:
        """Return the tools, for one conversation."""
        return llm.APIInstance(
            api=self,
            api_prompt=PROMPT,
            llm_context=llm_context,
            tools=list(self._tools),
            custom_serializer=llm.selector_serializer,
        )
