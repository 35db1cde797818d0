"""Tools for the home, as an API for language models: states, areas, domains, actions on what is exposed, the time."""

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
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from .approval import Approvals
from .compat import ToolAnswer, annotated, tool_answer
from .const import DOMAIN

__all__ = ["BuiltinApi"]

PROMPT = (
    "Use get_area_entities and get_entities_by_domain to find entities, get_entity_state to know how they are, and "
    "call_service to act on them. Never guess an entity id. After an action, say in one short sentence what was done."
)
LISTED = "These are the entities, as entity_id: name (area); how they are now is not told here."
MOST_LISTED_CHARACTERS = 2000
"""What a small model still reads soon. In a home with more to name, entities are found with the tools."""

RISKY = {
    "alarm_control_panel": {"alarm_arm_away", "alarm_arm_home", "alarm_arm_night", "alarm_arm_vacation"},
    "lock": {"lock"},
}
"""Domains that guard the home, and the services there that do no harm."""
RISKY_COVERS = {"garage", "gate", "door"}
HARMLESS_TO_COVERS = {"close_cover", "stop_cover"}
ANYWHERE = {"turn_on", "turn_off", "toggle"}
"""Services of the domain homeassistant that fit entities of any domain."""
MOST_ENTITIES = 200
_TARGETS = {"entity_id", "device_id", "area_id", "floor_id", "label_id"}


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
        """Return the state of an entity, also where a model has left its domain out, or gives its name.

        Raises `HomeAssistantError`, for the model to read, where there is none that is exposed, or several.
        """
        named = entity_id.strip().casefold()
        exact = hass.states.get(named)
        found = [
            state
            for state in ([exact] if exact else hass.states.async_all())
            if (exact or named in {state.object_id, state.name.casefold()})
            and _exposed(hass, context, state.entity_id)
        ]
        if len(found) > 1:
            several = ", ".join(state.entity_id for state in found)
            raise HomeAssistantError(f"{entity_id} could be any of these: {several}.")
        if not found:
            raise HomeAssistantError(f"There is no entity {entity_id} that assistants may use.")
        return found[0]


def _exposed(hass: HomeAssistant, context: llm.LLMContext, entity_id: str) -> bool:
    return async_should_expose(hass, context.assistant or "conversation", entity_id)


def _list(states: list[State]) -> ToolAnswer:
    told: JsonObjectType = {"entities": [_told(state) for state in states[:MOST_ENTITIES]]}
    if len(states) > MOST_ENTITIES:
        told["note"] = f"{len(states) - MOST_ENTITIES} more are not shown."
    return tool_answer(told)


class GetDateTime(llm.Tool):
    """What time it is.

    Home Assistant knows it by the end of its name, and tells an agent that has it no time in its instructions, which
    are the same in every conversation then. It comes first: small models take the first for what a call is like, and
    this one leaves nothing to be copied into others.
    """

    name = "GetDateTime"
    description = "Get the current date and time."
    parameters = vol.Schema({})
    annotations = annotated(read_only=True)
    integration = DOMAIN

    async def async_call(
        self,
        hass: HomeAssistant,  # noqa: ARG002 - the interface
        tool_input: llm.ToolInput,  # noqa: ARG002
        llm_context: llm.LLMContext,  # noqa: ARG002
    ) -> ToolAnswer:
        """Tell it."""
        now = dt_util.now()
        return tool_answer(
            {
                "time": now.strftime("%H:%M"),
                "weekday": now.strftime("%A"),
                "date": now.strftime("%Y-%m-%d"),
                "timezone": now.strftime("%Z"),
            }
        )


class GetEntityState(_HomeTool):
    """How an entity is."""

    name = "get_entity_state"
    description = "Get the state and the attributes of an entity."
    parameters = vol.Schema({vol.Required("entity_id", description="Such as light.kitchen"): cv.string})
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
            vol.Required("entity_id", description="The entities to act on"): vol.All(
                cv.ensure_list, [cv.string]
            ),
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
        service, data = given["service"], given.get("data", {})
        if not given["entity_id"] or _TARGETS & data.keys():
            raise HomeAssistantError("Name the entities in entity_id, and nowhere else.")
        states = [self.visible(hass, llm_context, entity_id) for entity_id in given["entity_id"]]
        entities: dict[str, list[str]] = {}
        for state in states:
            entities.setdefault(_domain(hass, given["domain"], service, state), []).append(state.entity_id)
        risky = next((state for state in states if _risky(hass, state, service)), None)
        if risky is not None:
            asked = {"entity_id": [state.entity_id for state in states], "data": data}
            if told := self._approvals.check(f"{risky.domain}.{service}", asked):
                return told
        for domain, acted_on in entities.items():
            await hass.services.async_call(
                domain,
                service,
                {**data, "entity_id": acted_on},
                blocking=True,
                context=llm_context.context,
            )
        after = [now for state in states if (now := hass.states.get(state.entity_id))]
        return tool_answer({"success": True, "entities": [_told(state) for state in after]})


def _domain(hass: HomeAssistant, domain: str, service: str, state: State) -> str:
    """Return the domain whose service acts on an entity: its own, whatever a model takes it for.

    Raises `HomeAssistantError`, for the model to read, where it has none of this name.
    """
    if domain == "homeassistant" and service in ANYWHERE:
        return domain
    if not hass.services.has_service(state.domain, service):
        known = ", ".join(sorted(hass.services.async_services_for_domain(state.domain))) or "none"
        raise HomeAssistantError(f"There is no service {state.domain}.{service}; there are: {known}.")
    return state.domain


def _risky(hass: HomeAssistant, state: State, service: str, seen: frozenset[str] = frozenset()) -> bool:
    """Tell whether it needs a yes that a service acts on an entity, or on what an entity stands for, as groups do."""
    if state.domain in RISKY and service not in RISKY[state.domain]:
        return True
    if state.domain == "cover" and state.attributes.get("device_class") in RISKY_COVERS:
        return service not in HARMLESS_TO_COVERS
    members = state.attributes.get("entity_id")
    seen |= {state.entity_id}
    return isinstance(members, list | tuple) and any(
        _risky(hass, member, service, seen)
        for entity_id in members
        if entity_id not in seen and (member := hass.states.get(entity_id)) is not None
    )


def _listed(hass: HomeAssistant, context: llm.LLMContext) -> str:
    """Name what is exposed, a line for each; the same from turn to turn, so that a model need read it only once."""
    areas = ar.async_get(hass)
    lines = []
    for state in sorted(hass.states.async_all(), key=lambda state: state.entity_id):
        if not _exposed(hass, context, state.entity_id):
            continue
        area = areas.async_get_area(_area_of(hass, state.entity_id) or "")
        lines.append(f"{state.entity_id}: {state.name}" + (f" ({area.name})" if area else ""))
    return "\n".join(lines)


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
    """All of them."""

    def __init__(self, hass: HomeAssistant, approvals: Approvals) -> None:
        super().__init__(hass=hass, id=DOMAIN, name="Viva Voce tools")
        self._tools: list[Any] = [
            GetDateTime(),
            GetEntityState(),
            GetEntitiesByDomain(),
            GetAreaEntities(),
            CallService(approvals),
        ]

    async def async_get_api_instance(self, llm_context: llm.LLMContext) -> llm.APIInstance:
        """Return the tools, for one conversation."""
        listed = _listed(self.hass, llm_context)
        return llm.APIInstance(
            api=self,
            api_prompt=f"{PROMPT}\n{LISTED}\n{listed}"
            if 0 < len(listed) <= MOST_LISTED_CHARACTERS
            else PROMPT,
            llm_context=llm_context,
            tools=list(self._tools),
            custom_serializer=llm.selector_serializer,
        )
