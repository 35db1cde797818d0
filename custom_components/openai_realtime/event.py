"""What happens in the turns of an agent."""

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .activity import Activity, Happening
from .agent import Agent, VivaVoceEntry
from .const import DOMAIN
from .entity import AgentEntity, add_agents

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    entry: VivaVoceEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event entities."""
    add_agents(entry, async_add_entities, lambda agent: [AgentTurns(agent)])


class AgentTurns(AgentEntity, EventEntity):
    """Tells the beginnings and ends of turns and answers, also on the bus, for device triggers."""

    _attr_translation_key = "turn"
    _attr_event_types = list(Activity.KINDS)  # noqa: RUF012 - as the base class has it

    def __init__(self, agent: Agent) -> None:
        super().__init__(agent, "turn")

    async def async_added_to_hass(self) -> None:
        """Follow the agent."""
        await super().async_added_to_hass()
        activity, before = self.agent.activity, self.agent.activity.happened
        activity.happened = self._happened
        self.async_on_remove(lambda: setattr(activity, "happened", before))

    @callback
    def _happened(self, happening: Happening) -> None:
        self._trigger_event(happening.kind, happening.facts)
        self.async_write_ha_state()
        if (device := self.device_entry) is not None:
            self.hass.bus.async_fire(
                f"{DOMAIN}_turn", {"device_id": device.id, "type": happening.kind, **happening.facts}
            )
