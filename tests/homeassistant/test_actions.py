"""Actions, sensors, events, the media player, and what is told to who helps."""

import asyncio
import base64

import pytest
from homeassistant.components import tts
from homeassistant.components.conversation.chat_log import DATA_CHAT_LOGS
from homeassistant.components.device_automation import DeviceAutomationType
from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_get_device_automations,
    async_mock_service,
)
from test_config_flow import refusing  # noqa: F401 - a fixture
from test_conversation import converse
from test_pipeline import TONE
from test_tools import mcp, subentry  # noqa: F401 - a fixture

from custom_components.openai_realtime.live import EndpointRefused
from vivavoce.testing import Turn

DOMAIN = "openai_realtime"
SPEECH = base64.b64encode(TONE * 100).decode()


async def call(hass, action, /, *, response=True, context=None, **data):
    return await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=response, context=context
    )


async def test_a_message_is_answered(home, endpoint, set_up):
    url = await endpoint(
        Turn(expect="Hello there.", say="Good day."), Turn(expect="And now?", say="Good night.")
    )
    await set_up(url)
    first = await call(home, "send_message", message="Hello there.")
    assert first["response"] == "Good day."
    second = await call(home, "send_message", message="And now?", entity_id="conversation.ada")
    assert second == {"response": "Good night.", "conversation_id": first["conversation_id"]}


async def test_users_and_automations_have_a_conversation_each(home, endpoint, set_up, hass_admin_user):
    """A conversation has an owner, and Home Assistant lets nobody else go on with it."""
    await set_up(await endpoint(Turn(hear="Who am I?", say="You?"), Turn(say="Ada.")))
    ada = Context(user_id=hass_admin_user.id)
    first = await call(home, "send_message", message="I am Ada.", context=ada)
    nobody = await call(home, "send_audio", audio_data=SPEECH, context=Context())
    assert nobody["response"] == "You?"
    again = await call(home, "send_message", message="Who am I?", context=ada)
    assert first["conversation_id"] == again["conversation_id"] != nobody["conversation_id"]


async def test_speech_is_answered(home, endpoint, set_up):
    url = await endpoint(Turn(hear="What time is it?", say="Three."))
    await set_up(url)
    told = await call(home, "send_audio", audio_data=SPEECH)
    assert (told["transcript"], told["response"]) == ("What time is it?", "Three.")


async def test_a_turn_in_parts(home, endpoint, set_up):
    url = await endpoint(Turn(hear="What time is it?", say="Three."))
    await set_up(url)
    done = async_capture_events(home, f"{DOMAIN}_turn")
    await call(home, "start_listening", response=False)
    assert home.states.get("media_player.ada_player").state == "playing"
    for _ in range(3):
        assert await call(home, "send_audio", audio_data=SPEECH) == {}
    told = await call(home, "stop_listening")
    assert (told["transcript"], told["response"]) == ("What time is it?", "Three.")
    assert home.states.get("media_player.ada_player").state == "idle"
    assert done[-1].data["response"] == "Three."
    assert home.states.get("event.ada_turn").attributes["response"] == "Three."


async def test_a_turn_in_parts_tells_what_went_wrong(home, endpoint, set_up):
    await set_up(await endpoint(Turn(hear="What time is it?", error="Hoarse.")))
    await call(home, "start_listening", response=False)
    await call(home, "send_audio", audio_data=SPEECH)
    with pytest.raises(HomeAssistantError, match="Hoarse"):
        await call(home, "stop_listening", response=False)
    await call(home, "start_listening", response=False)
    with pytest.raises(ServiceValidationError) as raised:
        await call(home, "stop_listening", response=False)
    assert raised.value.translation_key == "nothing_heard"
    assert await call(home, "stop_listening") == {}


async def test_a_turn_that_the_endpoint_ended_is_told_when_it_is_stopped(home, endpoint, set_up):
    """What was said since is not another turn."""
    entry = await set_up(await endpoint(Turn(hear="What time is it?", say="Three.")))
    (direct,) = entry.runtime_data.directs.values()
    await call(home, "start_listening", response=False)
    await call(home, "send_audio", audio_data=SPEECH)
    direct._audio.put_nowait(None)
    await asyncio.wait([direct._turn])
    assert not direct.listening
    assert (await call(home, "stop_listening"))["response"] == "Three."
    assert await call(home, "stop_listening") == {}


async def test_a_turn_that_is_cancelled_has_no_answer(home, endpoint, set_up):
    url = await endpoint(Turn(hear="A story.", say=["It ", "goes ", "on."] * 50, pace_ms=200), complete=False)
    entry = await set_up(url)
    (agent,) = entry.runtime_data.agents.values()
    begun = asyncio.Event()
    agent.listen(lambda: begun.set() if agent.activity.speaking else None)
    await call(home, "start_listening", response=False)
    await call(home, "send_audio", audio_data=SPEECH)
    stopped = asyncio.create_task(call(home, "stop_listening"))
    async with asyncio.timeout(30):
        await begun.wait()
        await call(home, "stop_listening", response=False)
        assert await stopped == {}


async def test_the_media_player_starts_and_stops(home, endpoint, set_up):
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    (direct,) = entry.runtime_data.directs.values()
    player = {"entity_id": "media_player.ada_player"}
    await home.services.async_call("media_player", "media_play", player, blocking=True)
    assert direct.listening
    assert home.states.get("media_player.ada_player").state == "playing"
    await home.services.async_call("media_player", "media_stop", player, blocking=True)
    assert not direct.busy
    assert home.states.get("media_player.ada_player").state == "idle"
    play = player | {"media_content_id": "media-source://tts/x", "media_content_type": "music"}
    with pytest.raises(ServiceValidationError) as raised:
        await home.services.async_call("media_player", "play_media", play, blocking=True)
    assert raised.value.translation_key == "no_speaker"


async def test_an_agent_is_not_its_own_speaker(home, endpoint, set_up):
    """Neither is another: what they play, they would have each other play."""
    await set_up(
        await endpoint(Turn(hear="What time is it?", say="Three.")),
        agent={"speaker": "media_player.ada_player"},
    )
    player = {"entity_id": "media_player.ada_player"}
    play = player | {"media_content_id": "media-source://tts/x", "media_content_type": "music"}
    with pytest.raises(ServiceValidationError) as raised:
        await home.services.async_call("media_player", "play_media", play, blocking=True)
    assert raised.value.translation_key == "no_speaker"
    playing = async_mock_service(home, "media_player", "play_media")
    assert (await call(home, "send_audio", audio_data=SPEECH))["response"] == "Three."
    await home.async_block_till_done(wait_background_tasks=True)
    assert not playing


@pytest.mark.parametrize("announce", [True, False])
async def test_the_media_player_lets_its_speaker_play(home, endpoint, set_up, announce):
    """Such as what ``tts.speak`` gives it."""
    await set_up(
        await endpoint(Turn(say="Unheard."), complete=False), agent={"speaker": "media_player.kitchen"}
    )
    playing = async_mock_service(home, "media_player", "play_media")
    player = home.data["media_player"].get_entity("media_player.ada_player")
    await player.async_play_media("music", "media-source://tts/x", announce=announce)
    (played,) = playing
    assert played.data == {
        "entity_id": "media_player.kitchen",
        "media_content_id": "media-source://tts/x",
        "media_content_type": "music",
        "announce": announce,
    }


async def test_a_speaker_plays_the_answer_as_it_is_spoken(home, endpoint, set_up):
    """What it is given is the model's own speech, and only where there is a speaker does the model speak."""
    url = await endpoint(
        Turn(hear="What time is it?", say="It is a quarter past three."), Turn(hear="Hello?", error="Hoarse.")
    )
    entry = await set_up(url, agent={"speaker": "media_player.kitchen"})
    playing = async_mock_service(home, "media_player", "play_media")
    stopping = async_mock_service(home, "media_player", "media_stop")
    await call(home, "send_audio", audio_data=SPEECH)
    await home.async_block_till_done(wait_background_tasks=True)
    (played,) = playing
    assert played.data["entity_id"] == "media_player.kitchen"
    assert played.data["announce"]
    token = played.data["media_content_id"].rpartition("/")[2]
    stream = tts.async_get_stream(home, token)
    assert len(b"".join([part async for part in stream.async_stream_result()])) > 1000
    (agent,) = entry.runtime_data.agents.values()
    assert agent.activity.usage.responses == 1
    with pytest.raises(HomeAssistantError, match="Hoarse"):
        await call(home, "send_audio", audio_data=SPEECH)
    await home.async_block_till_done(wait_background_tasks=True)
    assert len(playing) == 1
    await call(home, "stop_listening", response=False)
    assert [one.data["entity_id"] for one in stopping] == ["media_player.kitchen"]


async def test_without_a_speaker_answers_are_written(home, endpoint, set_up):
    entry = await set_up(await endpoint(Turn(hear="What time is it?", say="Three.")))
    assert (await call(home, "send_audio", audio_data=SPEECH))["response"] == "Three."
    (agent,) = entry.runtime_data.agents.values()
    assert agent.activity.usage.tokens.audio_output == 0


async def test_stop_cancels_what_is_answered(home, endpoint, set_up):
    """Also what the agent says in pipelines, and chats."""
    url = await endpoint(Turn(say=["It ", "goes ", "on."] * 50, pace_ms=200), complete=False)
    entry = await set_up(url)
    (agent,) = entry.runtime_data.agents.values()
    begun = asyncio.Event()
    agent.listen(lambda: begun.set() if agent.activity.speaking else None)
    talking = asyncio.create_task(converse(home, "Tell me a story."))
    async with asyncio.timeout(30):
        await begun.wait()
        player = {"entity_id": "media_player.ada_player"}
        await home.services.async_call("media_player", "media_stop", player, blocking=True)
        result = await talking
    assert result.response.speech["plain"]["speech"].startswith("It")
    assert home.states.get("event.ada_turn").attributes["event_type"] == "interrupted"


async def test_a_turn_that_is_begun_twice_is_one(home, endpoint, set_up, monkeypatch):
    monkeypatch.setattr("custom_components.openai_realtime.direct.MOST_FRAMES", 1)
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    (direct,) = entry.runtime_data.directs.values()
    await call(home, "start_listening", response=False)
    turn = direct._turn
    await call(home, "start_listening", response=False)
    assert direct._turn is turn
    direct._audio.put_nowait(b"")
    with pytest.raises(HomeAssistantError) as raised:
        await direct.send_audio(b"12", Context())
    assert raised.value.translation_key == "too_much_audio"
    with pytest.raises(ServiceValidationError):
        await call(home, "stop_listening", response=False)


async def test_an_action_says_that_there_is_no_answer(home, endpoint, set_up):
    await set_up(await endpoint(Turn(expect="Hello there.", error="Overloaded.")))
    with pytest.raises(HomeAssistantError, match="Overloaded") as raised:
        await call(home, "send_message", message="Hello there.")
    assert raised.value.translation_key == "no_answer"


async def test_agents_are_named_by_device_and_area(home, endpoint, set_up):
    url = await endpoint(Turn(say="Hello."), after="repeat")
    entry = await set_up(url)
    await set_up(url)
    devices = dr.async_get(home)
    (device,) = dr.async_entries_for_config_entry(devices, entry.entry_id)
    (direct,) = entry.runtime_data.directs.values()
    told = await call(home, "send_message", message="Hello there.", device_id=device.id)
    assert told["conversation_id"] == direct.conversation_id(Context())
    kitchen = ar.async_get(home).async_create("Kitchen")
    devices.async_update_device(device.id, area_id=kitchen.id)
    told = await call(home, "send_message", message="Hello there.", area_id=kitchen.id)
    assert told["conversation_id"] == direct.conversation_id(Context())


async def test_a_cleared_conversation_begins_anew(home, endpoint, set_up):
    await set_up(await endpoint(Turn(expect="I am Ada.", say="Hello.")))
    first = await call(home, "send_message", message="I am Ada.")
    await call(home, "clear_conversation", response=False)
    second = await call(home, "send_message", message="I am Ada.")
    assert second["conversation_id"] != first["conversation_id"]


@pytest.mark.parametrize("rests", [False, True])
async def test_what_was_cleared_is_told_to_no_session(home, endpoint, set_up, rests):
    """Also not where the session had made room for another, and the conversation goes on."""
    entry = await set_up(await endpoint(Turn(say="Hello."), Turn(say="It is 42.")))
    (agent,) = entry.runtime_data.agents.values()
    for words in ("My secret is 42.", "Which is it?"):
        await call(home, "send_message", message=words, conversation_id="mine")
    if rests:
        await agent.drop("mine")
    await call(home, "clear_conversation", response=False)
    assert not agent.sessions
    for number in (1, 2):
        await call(home, "send_message", message="What is my secret?", conversation_id="mine")
        (session,) = agent.sessions.values()
        told = [item.words for item in session.client.conversation.items if item.role != "system"]
        assert told[0] == "What is my secret?"
        assert len(told) == 2 * number


async def test_what_is_being_answered_is_cleared_too(home, endpoint, set_up):
    story = Turn(say=["It ", "goes ", "on."] * 50, pace_ms=200)
    entry = await set_up(await endpoint(story, complete=False))
    (agent,) = entry.runtime_data.agents.values()
    begun = asyncio.Event()
    agent.listen(lambda: begun.set() if agent.activity.speaking else None)
    talking = asyncio.create_task(
        call(home, "send_message", message="Tell me a story.", conversation_id="mine")
    )
    async with asyncio.timeout(30):
        await begun.wait()
        await call(home, "clear_conversation", response=False)
        assert (await talking)["response"].startswith("It")
    assert agent.available
    assert not agent.sessions
    assert not home.data[DATA_CHAT_LOGS]


async def test_a_turn_that_goes_on_is_cleared_with_its_end(home, endpoint, set_up, monkeypatch):
    """Such as one whose own tool clears the conversation."""
    monkeypatch.setattr("custom_components.openai_realtime.direct.CLEAR_SECONDS", 0.01)
    entry = await set_up(await endpoint(Turn(say="Hello.")))
    (agent,) = entry.runtime_data.agents.values()
    await call(home, "send_message", message="My secret is 42.")
    (session,) = agent.sessions.values()
    async with session.lock:
        await call(home, "clear_conversation", response=False)
        assert list(agent.sessions.values()) == [session]
    await home.async_block_till_done(wait_background_tasks=True)
    assert not agent.sessions
    assert not home.data[DATA_CHAT_LOGS]


async def test_what_actions_refuse(home, endpoint, set_up):
    await async_setup_component(home, DOMAIN, {})
    with pytest.raises(ServiceValidationError) as raised:
        await call(home, "send_message", message="Hello there.")
    assert raised.value.translation_key == "no_agent"
    url = await endpoint(Turn(say="Unheard."), complete=False)
    await set_up(url)
    for audio, key in (("!", "bad_audio"), ("QQ==", "bad_audio"), ("QUE=", "nothing_heard")):
        with pytest.raises(ServiceValidationError) as raised:
            await call(home, "send_audio", audio_data=audio)
        assert raised.value.translation_key == key
    with pytest.raises(ServiceValidationError) as raised:
        await call(home, "send_message", message="Hello there.", entity_id="sun.sun")
    assert raised.value.translation_key == "no_agent"
    await set_up(url)
    with pytest.raises(ServiceValidationError) as raised:
        await call(home, "send_message", message="Hello there.")
    assert raised.value.translation_key == "several_agents"


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("send_message", {"message": "Open the door."}),
        ("send_audio", {"audio_data": SPEECH}),
        ("start_listening", {}),
        ("stop_listening", {}),
        ("clear_conversation", {}),
        ("add_mcp_server", {"name": "evil", "url": "http://127.0.0.1:9/mcp"}),
    ],
)
@pytest.mark.parametrize("known", [True, False])
async def test_a_user_who_may_not_control_an_agent_is_refused(
    home, endpoint, set_up, hass_read_only_user, action, data, known
):
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    reads = Context(user_id=hass_read_only_user.id if known else "nobody")
    with pytest.raises(Unauthorized):
        await call(home, action, response=False, context=reads, **data)
    (agent,) = entry.runtime_data.agents.values()
    assert not agent.sessions


async def test_an_mcp_server_is_added(home, endpoint, set_up, mcp):  # noqa: F811
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    _, address = await mcp()
    with pytest.raises(HomeAssistantError) as raised:
        await call(home, "add_mcp_server", response=False, name="house", url=address)
    assert raised.value.translation_key == "mcp_failed"
    told = await call(
        home, "add_mcp_server", name="house", url=address, token="t0ken", allowed_tools=["vacuum"]
    )
    assert told == {"tools": ["vacuum"]}
    await home.async_block_till_done()
    assert [one.title for one in entry.subentries.values()] == ["Ada", "house"]
    (agent,) = entry.runtime_data.agents.values()
    assert agent.tools() == [server.id for server in entry.runtime_data.servers.values()]
    with pytest.raises(ServiceValidationError) as raised:
        await call(home, "add_mcp_server", response=False, name="house", url=address, token="t0ken")
    assert raised.value.translation_key == "mcp_exists"
    with pytest.raises(ServiceValidationError) as raised:
        await call(home, "add_mcp_server", response=False, name="x", url=address, config_entry_id="none")
    assert raised.value.translation_key == "no_agent"


async def test_sensors_follow_a_turn(home, endpoint, set_up, monkeypatch):
    url = await endpoint(Turn(hear="What time is it?", say="Three."))
    monkeypatch.setattr(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", property(lambda _: True)
    )
    await set_up(url, agent={"model": "gpt-realtime-2.1"})
    assert home.states.get("binary_sensor.ada_connected").state == "off"
    fired = async_capture_events(home, f"{DOMAIN}_turn")
    await call(home, "send_audio", audio_data=SPEECH)
    await home.async_block_till_done()
    assert home.states.get("binary_sensor.ada_connected").state == "on"
    kinds = ["turn_started", "turn_ended", "response_started", "response_done"]
    assert [event.data["type"] for event in fired] == kinds
    assert home.states.get("event.ada_turn").attributes["event_type"] == "response_done"
    assert int(home.states.get("sensor.ada_tokens_written").state) > 0
    assert float(home.states.get("sensor.ada_cost").state) > 0
    assert home.states.get("sensor.ada_cost").attributes["last_reset"]
    assert "last_reset" not in home.states.get("sensor.ada_tokens_written").attributes
    for doing in ("listening", "speaking", "processing"):
        assert home.states.get(f"binary_sensor.ada_{doing}").state == "off"


async def test_numbers_are_off_by_default(home, endpoint, set_up):
    await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    entity = er.async_get(home).async_get("sensor.ada_cost")
    assert entity.disabled_by == "integration"


async def test_devices_have_triggers(home, endpoint, set_up):
    entry = await set_up(await endpoint(Turn(expect="Hello there.", say="Good day.")))
    (device,) = dr.async_entries_for_config_entry(dr.async_get(home), entry.entry_id)
    assert device.name == "Ada"
    trigger = {"platform": "device", "domain": DOMAIN, "device_id": device.id, "type": "response_done"}
    ran = async_capture_events(home, "test_ran")
    action = {"event": "test_ran"}
    assert await async_setup_component(
        home, "automation", {"automation": {"alias": "x", "trigger": trigger, "action": action}}
    )
    await converse(home, "Hello there.")
    await home.async_block_till_done()
    assert len(ran) == 1


async def test_triggers_need_no_entity(home, endpoint, set_up):
    """Who has no use for the entity *turn* may disable it."""
    entry = await set_up(await endpoint(Turn(expect="Hello there.", say="Good day.")))
    er.async_get(home).async_update_entity("event.ada_turn", disabled_by=er.RegistryEntryDisabler.USER)
    await home.config_entries.async_reload(entry.entry_id)
    (device,) = dr.async_entries_for_config_entry(dr.async_get(home), entry.entry_id)
    fired = async_capture_events(home, f"{DOMAIN}_turn")
    await converse(home, "Hello there.")
    await home.async_block_till_done()
    assert [event.data["type"] for event in fired] == ["response_started", "response_done"]
    assert {event.data["device_id"] for event in fired} == {device.id}


async def test_a_device_offers_its_triggers(home, endpoint, set_up):
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    (device,) = dr.async_entries_for_config_entry(dr.async_get(home), entry.entry_id)
    offered = await async_get_device_automations(home, DeviceAutomationType.TRIGGER, device.id)
    ours = {one["type"] for one in offered if one["domain"] == DOMAIN}
    assert ours == {
        "turn_started",
        "turn_ended",
        "response_started",
        "response_done",
        "response_failed",
        "interrupted",
    }


@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-realtime-2025-08-28", "gpt-realtime-mini"])
async def test_a_model_that_goes_is_a_repair(home, endpoint, set_up, model):
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False), agent={"model": model})
    (issue,) = (key for key in ir.async_get(home).issues if key[0] == DOMAIN)
    (agent,) = entry.subentries
    assert issue[1] == f"model_{agent}"
    home.config_entries.async_remove_subentry(entry, agent)
    await home.async_block_till_done()
    assert not [key for key in ir.async_get(home).issues if key[0] == DOMAIN]


@pytest.mark.parametrize("model", ["gpt-realtime-2.1", "gpt-realtime-2", "llama"])
async def test_other_models_are_none(home, endpoint, set_up, model):
    await set_up(await endpoint(Turn(say="Unheard."), complete=False), agent={"model": model})
    assert not [key for key in ir.async_get(home).issues if key[0] == DOMAIN]


async def test_an_endpoint_that_is_removed_leaves_no_issues(home, endpoint, set_up, mcp):  # noqa: F811
    server, address = await mcp()
    server.status = 503
    url = await endpoint(Turn(say="Unheard."), complete=False)
    entry = await set_up(url, agent={"model": "gpt-realtime"}, subentries=[subentry(address)])
    await home.async_block_till_done(wait_background_tasks=True)
    (agent,) = entry.runtime_data.agents.values()
    agent.failed(EndpointRefused("No credit.", "insufficient_quota"))
    assert len([key for key in ir.async_get(home).issues if key[0] == DOMAIN]) == 3
    await home.config_entries.async_remove(entry.entry_id)
    await home.async_block_till_done()
    assert not [key for key in ir.async_get(home).issues if key[0] == DOMAIN]


async def test_a_model_that_is_gone_is_repaired(home, endpoint, set_up):
    from custom_components.openai_realtime.repairs import async_create_fix_flow

    url = await endpoint(Turn(say="Unheard."), complete=False)
    entry = await set_up(url, agent={"model": "gpt-4o-realtime-preview-2024-12-17"})
    (issue,) = (one for key, one in ir.async_get(home).issues.items() if key[0] == DOMAIN)
    assert issue.is_fixable
    flow = await async_create_fix_flow(home, issue.issue_id, issue.data)
    flow.hass, flow.handler, flow.flow_id, flow.context = home, DOMAIN, "x", {}
    assert (await flow.async_step_init())["step_id"] == "confirm"
    assert (await flow.async_step_confirm({}))["type"] == "create_entry"
    await home.async_block_till_done()
    (agent,) = entry.subentries.values()
    assert agent.data["model"] == "gpt-realtime-2.1"
    assert not [key for key in ir.async_get(home).issues if key[0] == DOMAIN]


async def test_a_refusal_in_the_middle(home, endpoint, set_up, refusing, caplog):  # noqa: F811
    """A key that is refused asks for another, no credit is a repair, and an endpoint that is away is told once."""
    entry = await set_up(await endpoint(Turn(expect="Hello there.", say="Good day.")))
    good = dict(entry.data)
    (agent,) = entry.runtime_data.agents.values()
    object.__setattr__(entry, "data", {**good, "url": refusing.url})
    result = await converse(home, "Hello there.")
    assert result.response.error_code == "unknown"
    assert [flow["context"]["source"] for flow in home.config_entries.flow.async_progress()] == ["reauth"]
    refusing.status, refusing.code = 429, "insufficient_quota"
    await converse(home, "Hello there.")
    assert (DOMAIN, f"quota_{entry.entry_id}") in ir.async_get(home).issues
    refusing.status, refusing.code = 503, "busy"
    await converse(home, "Hello there.")
    await converse(home, "Hello there.")
    assert home.states.get("conversation.ada").state == "unavailable"
    assert caplog.text.count("Cannot reach") == 1
    object.__setattr__(entry, "data", good)
    assert (await agent.session("other")).client is not None
    assert agent.available
    assert (DOMAIN, f"quota_{entry.entry_id}") in ir.async_get(home).issues
    await converse(home, "Hello there.")
    assert (DOMAIN, f"quota_{entry.entry_id}") not in ir.async_get(home).issues


async def test_an_endpoint_that_is_away_is_tried_again(home, free_port):
    from pytest_homeassistant_custom_component.common import MockConfigEntry

    entry = MockConfigEntry(
        domain=DOMAIN, data={"kind": "compatible", "url": f"http://127.0.0.1:{free_port}/v1"}
    )
    entry.add_to_hass(home)
    assert not await home.config_entries.async_setup(entry.entry_id)
    assert entry.state.value == "setup_retry"
    await home.config_entries.async_unload(entry.entry_id)


@pytest.fixture
def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_diagnostics_have_no_secrets(home, endpoint, set_up):
    from custom_components.openai_realtime.diagnostics import async_get_config_entry_diagnostics

    entry = await set_up(
        await endpoint(Turn(expect="Hello there.", say="Good day.")), agent={"prompt": "hidden"}
    )
    await converse(home, "Hello there.")
    told = str(await async_get_config_entry_diagnostics(home, entry))
    assert "sk-secret" not in told
    assert "hidden" not in told
    assert "'responses': 1" in told
    assert entry.data["url"] in told


async def test_diagnostics_have_no_keys_of_addresses(home, endpoint, set_up, mcp):  # noqa: F811
    from custom_components.openai_realtime.diagnostics import async_get_config_entry_diagnostics

    _, address = await mcp()
    secret = {**subentry(address.replace("//", "//ada:hush@") + "?key=pssst")}
    broken = {**subentry("http://[::1"), "title": "broken"}
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False), subentries=[secret, broken])
    told = await async_get_config_entry_diagnostics(home, entry)
    urls = [one["data"]["url"] for one in told["entry"]["subentries"] if "url" in one["data"]]
    assert urls == [address, "**REDACTED**"]
    assert not any(word in str(told["entry"]) for word in ("hush", "pssst", "t0ken"))


async def test_system_health(home, endpoint, set_up, monkeypatch):
    from homeassistant.components import system_health

    async def reached(_, url):
        return f"reached {url}"

    monkeypatch.setattr(system_health, "async_check_can_reach_url", reached)
    assert await async_setup_component(home, system_health.DOMAIN, {})
    await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    await home.async_block_till_done()
    info = (await system_health.get_info(home))[DOMAIN]
    assert (info["endpoints"], info["agents"], info["sessions"]) == ("1 of 1", 1, 0)
    assert info["reach_openai"] == "reached https://api.openai.com/v1/models"


async def test_data_is_made(home, endpoint, set_up):
    import voluptuous as vol
    from homeassistant.components import ai_task

    url = await endpoint(Turn(say='```json {"colour": "red"} ```'))
    await set_up(url)
    made = await ai_task.async_generate_data(
        home,
        task_name="colour",
        entity_id="ai_task.ada_task",
        instructions="Which colour?",
        structure=vol.Schema({vol.Required("colour"): str}),
    )
    assert made.data == {"colour": "red"}
