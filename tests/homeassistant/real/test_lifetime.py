"""What outlives a restart of Home Assistant, and that nothing outlives its removal."""

import json

from vivavoce.testing import Turn

DOMAIN = "openai_realtime"
GONE = ("deleted_devices", "deleted_entities")
"""Where Home Assistant itself remembers what was there once, so that it comes back under the same name."""


async def ours(hass):
    """Return the ids of the entities of the integration."""
    entities = await hass.command("config/entity_registry/list")
    return sorted(one["entity_id"] for one in entities if one["platform"] == DOMAIN)


async def test_a_restart_and_removal(hass, endpoint, added):
    url = await endpoint(Turn(expect="Who are you?", say="Ada."))  # each session plays it
    entry = await added(url)
    answer = await hass.action("openai_realtime.send_message", message="Who are you?")
    assert answer["response"] == "Ada."
    before = await ours(hass)
    assert {"conversation.realtime", "media_player.realtime_player"} <= set(before)

    await hass.stop()
    await hass.start()
    await hass.until("{{ has_value('conversation.realtime') }}")  # when it was last asked: before
    assert await ours(hass) == before
    answer = await hass.action("openai_realtime.send_message", message="Who are you?")
    assert answer["response"] == "Ada."

    await hass.delete(f"/api/config/config_entries/entry/{entry['entry_id']}")
    added.forget(entry)
    assert await ours(hass) == []
    devices = await hass.command("config/device_registry/list")
    assert not [one for one in devices if any(DOMAIN in identifier for identifier in one["identifiers"])]
    issues = (await hass.command("repairs/list_issues"))["issues"]
    assert not [one for one in issues if one["domain"] == DOMAIN]

    await hass.stop()  # now all is written
    for file in (hass.folder / ".storage").iterdir():
        kept = json.loads(file.read_text())
        data = kept["data"]
        if isinstance(data, dict):
            kept["data"] = {name: value for name, value in data.items() if name not in GONE}
        assert entry["entry_id"] not in json.dumps(kept), file.name
    await hass.start()
