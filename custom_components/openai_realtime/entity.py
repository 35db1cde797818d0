"""What all entities of an agent have in common."""

from collections.abc import Callable, Iterable

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .agent import Agent, VivaVoceEntry
from .const import DOMAIN

__all__ = ["AgentEntity", "add_agents"]


class AgentEntity(Entity):
    """An entity of an agent; ``key`` tells it from the others."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    follows = False
    """Whether its state follows what the agent does."""

    def __init__(self, agent: Agent, key: str) -> None:
        self.agent = agent
        self._attr_unique_id = f"{agent.subentry.subentry_id}-{key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, agent.subentry.subentry_id)},
            name=agent.subentry.title,
            manufacturer="Viva Voce",
            model=agent.model or "Realtime",
            entry_type=DeviceEntryType.SERVICE,
        )

    @property
    def available(self) -> bool:
        """Whether the endpoint was there when it was asked the last time."""
        return self.agent.available

    async def async_added_to_hass(self) -> None:
        """Follow the agent."""
        await super().async_added_to_hass()
        self.async_on_remove(self.agent.listen(self._changed))

    @callback
    def _changed(self) -> None:
        self.async_write_ha_state()


def add_agents(
    entry: VivaVoceEntry,
    add: AddConfigEntryEntitiesCallback,
    make: Callable[[Agent], Iterable[Entity]],
) -> None:
    """Add the entities of every agent of an entry."""
    for subentry_id, agent in entry.runtime_data.agents.items():
        add(make(agent), config_subentry_id=subentry_id)
