"""What an agent has used since Home Assistant was started."""

from collections.abc import Callable
from dataclasses import dataclass

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .activity import Activity
from .agent import Agent, VivaVoceEntry
from .entity import AgentEntity, add_agents

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class AgentSensorDescription(SensorEntityDescription):
    """A number that is told of an agent."""

    value: Callable[[Activity], float | None]


def _cached(activity: Activity) -> int:
    tokens = activity.usage.tokens
    return tokens.text_cached + tokens.audio_cached + tokens.image_cached


def _tokens(key: str, value: Callable[[Activity], float | None]) -> AgentSensorDescription:
    return AgentSensorDescription(
        key=key,
        translation_key=key,
        value=value,
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    )


SENSORS = (
    _tokens("input_tokens", lambda activity: activity.usage.tokens.input),
    _tokens("cached_tokens", _cached),
    _tokens("output_tokens", lambda activity: activity.usage.tokens.output),
    AgentSensorDescription(
        key="cost",
        translation_key="cost",
        value=lambda activity: activity.cost,
        device_class=SensorDeviceClass.MONETARY,
        native_unit_of_measurement="USD",
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=4,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    ),
    AgentSensorDescription(
        key="latency",
        translation_key="latency",
        value=lambda activity: activity.first_audio_ms,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    entry: VivaVoceEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors."""
    add_agents(entry, async_add_entities, lambda agent: [AgentNumber(agent, one) for one in SENSORS])


class AgentNumber(AgentEntity, SensorEntity):
    """A number of an agent, over all its sessions."""

    entity_description: AgentSensorDescription

    def __init__(self, agent: Agent, description: AgentSensorDescription) -> None:
        super().__init__(agent, description.key)
        self.entity_description = description
        if description.state_class is SensorStateClass.TOTAL:
            self._attr_last_reset = dt_util.utcnow()

    @property
    def native_value(self) -> float | None:
        """The number."""
        return self.entity_description.value(self.agent.activity)
