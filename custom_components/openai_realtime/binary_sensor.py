"""What an agent does at the moment."""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .agent import Agent, VivaVoceEntry
from .entity import AgentEntity, add_agents

PARALLEL_UPDATES = 0

KEYS = ("connected", "listening", "speaking", "processing")


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    entry: VivaVoceEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors."""
    add_agents(entry, async_add_entities, lambda agent: [AgentDoing(agent, key) for key in KEYS])


class AgentDoing(AgentEntity, BinarySensorEntity):
    """One thing that an agent does, or not, in any of its sessions."""

    def __init__(self, agent: Agent, key: str) -> None:
        super().__init__(agent, key)
        self._key = key
        self._attr_translation_key = key
        if key == "connected":
            self._attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
            self._attr_entity_category = EntityCategory.DIAGNOSTIC

    @property
    def is_on(self) -> bool:
        """Whether it does."""
        return bool(getattr(self.agent.activity, self._key))
