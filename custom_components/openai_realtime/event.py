"""What happens in the turns of an agent: on the bus, for device triggers, and as an entity."""

from functools import partial

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .activity import Activity, Happening
from .agent import Agent, VivaVoceEntry
from .const import DOMAIN
from .entity import AgentEntity, add_agents

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VivaVoceEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Tell the bus what happens, whether there are entities or not, and add these."""
    for agent in entry.runtime_data.agents.values():
        agent.activity.listen(partial(_fire, hass, agent))
    add_agents(entry, async_add_entities, lambda agent: [AgentTurns(agent)])


@callback
def _fire(hass: HomeAssistant, agent: Agent, happening: Happening) -> None:
    device = dr.async_get(hass).async_get_device(identifiers={(DOMAIN, agent.subentry.subentry_id)})
    if device is not None:
        told = {"device_id": device.id, "type": happening.kind, **happening.facts}
        hass.bus.async_fire(f"{DOMAIN}_turn", told)


class AgentTurns(AgentEntity, EventEntity):
    """Tells the beginnings and ends of turns and answers."""

    _attr_translation_key = "turn"
    _attr_event_types = list(Activity.KINDS)  # noqa: RUF012 - as the base class has it

    def __init__(self, agent: Agent) -> None:
        super().__init__(agent, "turn")

    async def async_added_to_hass(self) -> None:
        """Follow the agent."""
        await super().async_added_to_hass()
        self.async_on_remove(self.agent.activity.listen(self._happened))

    @callback
    def _happened(self, happening: Happening) -> None:
        self._trigger_event(happening.kind, happening.facts)
        self.async_write_ha_state()
