"""A house to try the integration in: rooms, devices that exist in templates alone, an assistant and a dashboard."""

from typing import Any

from home_assistant import HomeAssistant

__all__ = ["CARD", "CONFIGURATION", "DASHBOARD", "furnish"]

DASHBOARD = "viva-voce"
"""The path of the dashboard."""

CARD = {"type": "custom:openai-realtime-card", "title": "Talk with your home"}

AREAS = {
    "Kitchen": ("light.kitchen_light", "cover.kitchen_blind", "sensor.kitchen_temperature"),
    "Living Room": ("light.living_room_lamp", "climate.living_room", "fan.living_room_fan"),
    "Hall": ("light.hall_light", "lock.front_door"),
    "Garage": ("cover.garage_door",),
}


def _switched(name: str) -> dict[str, Any]:
    """Return a switch that only remembers, and is not shown."""
    return {name: {"name": name.replace("_", " ").capitalize()}}


def _act(switch: str, action: str) -> list[dict[str, Any]]:
    return [{"action": f"input_boolean.{action}", "target": {"entity_id": f"input_boolean.{switch}"}}]


def _is_on(switch: str) -> str:
    return f"is_state('input_boolean.{switch}', 'on')"


def _simple(entity: str, name: str) -> dict[str, Any]:
    """Return a light or a fan that can be turned on and off."""
    return {
        "name": name,
        "unique_id": entity,
        "default_entity_id": entity,
        "state": f"{{{{ {_is_on(_memory(entity))} }}}}",
        "turn_on": _act(_memory(entity), "turn_on"),
        "turn_off": _act(_memory(entity), "turn_off"),
    }


def _cover(entity: str, name: str, kind: str) -> dict[str, Any]:
    return {
        "name": name,
        "unique_id": entity,
        "default_entity_id": entity,
        "device_class": kind,
        "state": f"{{{{ {_is_on(_memory(entity))} }}}}",
        "open_cover": _act(_memory(entity), "turn_on"),
        "close_cover": _act(_memory(entity), "turn_off"),
    }


def _memory(entity: str) -> str:
    return entity.partition(".")[2]


LIGHTS = {
    "light.kitchen_light": "Kitchen light",
    "light.living_room_lamp": "Living room lamp",
    "light.hall_light": "Hall light",
}
COVERS = {"cover.kitchen_blind": ("Kitchen blind", "blind"), "cover.garage_door": ("Garage door", "garage")}
LOCK = {
    "name": "Front door",
    "unique_id": "lock.front_door",
    "default_entity_id": "lock.front_door",
    "state": f"{{{{ {_is_on('front_door')} }}}}",
    "lock": _act("front_door", "turn_on"),
    "unlock": _act("front_door", "turn_off"),
}
TEMPERATURE = {
    "name": "Kitchen temperature",
    "unique_id": "sensor.kitchen_temperature",
    "default_entity_id": "sensor.kitchen_temperature",
    "device_class": "temperature",
    "unit_of_measurement": "°C",
    "state": "{{ 20.5 }}",
}
MEMORIES = (
    "kitchen_light", "living_room_lamp", "hall_light", "living_room_fan", "kitchen_blind", "garage_door", "heating",
)  # fmt: skip

CONFIGURATION: dict[str, Any] = {
    "input_boolean": {
        **{name: value for one in MEMORIES for name, value in _switched(one).items()},
        "front_door": {"name": "Front door", "initial": True},
    },
    "template": [
        {"light": [_simple(entity, name) for entity, name in LIGHTS.items()]},
        {"fan": [_simple("fan.living_room_fan", "Living room fan")]},
        {"cover": [_cover(entity, *about) for entity, about in COVERS.items()]},
        {"lock": [LOCK]},
        {"sensor": [TEMPERATURE]},
    ],
    "climate": [
        {
            "platform": "generic_thermostat",
            "name": "Living room",
            "unique_id": "climate.living_room",
            "heater": "input_boolean.heating",
            "target_sensor": "sensor.kitchen_temperature",
            "target_temp": 20,
            "initial_hvac_mode": "heat",
        }
    ],
}
"""Keys of ``configuration.yaml``."""


async def furnish(home: HomeAssistant, endpoint: str) -> None:
    """Put devices in rooms, add the endpoint at this address, an assistant that uses it, and the dashboard."""
    areas = {area["name"]: area["area_id"] for area in await home.command("config/area_registry/list")}
    for name, entities in AREAS.items():
        if name not in areas:
            areas[name] = (await home.command("config/area_registry/create", name=name))["area_id"]
        for entity in entities:
            await home.command("config/entity_registry/update", entity_id=entity, area_id=areas[name])
    exposed = [entity for entities in AREAS.values() for entity in entities]
    await home.command(
        "homeassistant/expose_entity", assistants=["conversation"], entity_ids=exposed, should_expose=True
    )
    done = await home.flow("openai_realtime", {"next_step_id": "gateway"}, {"url": endpoint})
    if done["type"] != "create_entry":
        raise RuntimeError(f"the endpoint could not be added: {done.get('errors')}")
    await make_assistant(home)
    await make_dashboard(home)


async def make_assistant(home: HomeAssistant) -> str:
    """Make a pipeline whose three parts are those of the first agent, the preferred one; return its id."""
    entities = await home.command("config/entity_registry/list")
    of = {
        one["entity_id"].partition(".")[0]: one["entity_id"]
        for one in entities
        if one["platform"] == "openai_realtime"
    }
    pipeline = await home.command(
        "assist_pipeline/pipeline/create",
        name="Viva Voce",
        language="en",
        conversation_engine=of["conversation"],
        conversation_language="*",
        stt_engine=of["stt"],
        stt_language="en",
        tts_engine=of["tts"],
        tts_language="en",
        tts_voice=None,
        wake_word_entity=None,
        wake_word_id=None,
        prefer_local_intents=False,
    )
    await home.command("assist_pipeline/pipeline/set_preferred", pipeline_id=pipeline["id"])
    return str(pipeline["id"])


async def make_dashboard(home: HomeAssistant) -> None:
    """Make a dashboard with the card, and what there is in each room."""
    await home.command(
        "lovelace/dashboards/create",
        url_path=DASHBOARD,
        title="Viva Voce",
        icon="mdi:microphone-message",
        show_in_sidebar=True,
        require_admin=False,
        mode="storage",
    )
    rooms = [
        {
            "type": "grid",
            "cards": [
                {"type": "heading", "heading": name},
                *({"type": "tile", "entity": one} for one in entities),
            ],
        }
        for name, entities in AREAS.items()
    ]
    card = {"type": "grid", "column_span": 2, "cards": [{**CARD, "grid_options": {"columns": "full"}}]}
    view = {"title": "Home", "path": "home", "type": "sections", "max_columns": 4, "sections": [card, *rooms]}
    await home.command("lovelace/config/save", url_path=DASHBOARD, config={"views": [view]})
