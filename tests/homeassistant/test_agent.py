"""An agent's sessions: how they wait, end and come back, and what goes wrong with them."""

import asyncio
from datetime import timedelta

import pytest
import voluptuous as vol
from custom_components.openai_realtime.vivavoce.client.notices import ConnectionInterrupted, StateRestored
from custom_components.openai_realtime.vivavoce.errors import ConnectionFailed
from custom_components.openai_realtime.vivavoce.protocol.server_events import ErrorDetails, ErrorEvent
from homeassistant.components import ai_task
from homeassistant.config_entries import ConfigEntryState
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from test_calling import taking_calls  # noqa: F401 - a fixture
from test_config_flow import refusing  # noqa: F401 - a fixture
from test_conversation import converse, speech
from test_live import only, said
from test_pipeline import run_pipeline

from vivavoce.testing import Turn


async def later(hass, seconds):
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_a_session_that_waits_too_long_ends(home, endpoint, set_up):
    entry = await set_up(await endpoint(Turn(say="Hello.")), options={"idle_seconds": 10})
    await converse(home, "Hello there.")
    agent = only(entry.runtime_data.agents)
    await later(home, 5)
    assert agent.sessions
    await later(home, 30)
    assert not agent.sessions


async def test_a_session_at_work_is_not_ended(home, endpoint, set_up):
    url = await endpoint(Turn(say="Hello."))
    entry = await set_up(url, options={"idle_seconds": 10, "max_sessions": 1})
    await converse(home, "Hello there.")
    agent = only(entry.runtime_data.agents)
    async with only(agent.sessions).lock:
        await later(home, 30)
        assert agent.sessions
        with pytest.raises(HomeAssistantError) as raised:
            await agent.session("another")
    assert raised.value.translation_key == "too_many_sessions"


async def test_where_the_endpoint_is_full_a_conversation_that_rests_gives_up_its_place(
    home,
    taking_calls,  # noqa: F811
    set_up,
):
    endpoint = await taking_calls(Turn(say="Hello."))
    entry = await set_up(endpoint.url)
    endpoint.places = 2
    agent = only(entry.runtime_data.agents)
    for name in ("first", "second", "third"):
        await agent.session(name)
    assert set(agent.sessions) == {"second", "third"}
    assert endpoint.refused >= 1
    async with agent.sessions["second"].lock:
        await agent.session("fourth")
        assert set(agent.sessions) == {"second", "fourth"}
        async with agent.sessions["fourth"].lock:
            with pytest.raises(HomeAssistantError) as raised:
                await agent.session("fifth")
    assert raised.value.translation_key == "endpoint_full"
    assert agent.available
    endpoint.places = 0
    await home.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


async def test_no_more_sessions_than_the_options_say_for_all_agents_and_cards(home, endpoint, set_up):
    """Also where many are opened at once."""
    url = await endpoint(Turn(say="Unheard."), complete=False)
    other = {"subentry_type": "agent", "title": "Grace", "unique_id": None, "data": {}}
    entry = await set_up(url, options={"max_sessions": 2}, subentries=[other])
    cards, agents = entry.runtime_data.cards, list(entry.runtime_data.agents.values())

    def openings():
        return [agent.session(f"{n}") for n in range(3) for agent in agents]

    card = cards.session(home, agents[0], "user", None)
    told = await asyncio.gather(card.open(None, None, bool), *openings(), return_exceptions=True)
    refused = [one for one in told if isinstance(one, HomeAssistantError)]
    assert {one.translation_key for one in refused} == {"too_many_sessions"}
    assert len(cards) + sum(len(agent.sessions) for agent in agents) == len(told) - len(refused) == 2
    for opening in openings():
        await opening
    assert len(cards) + sum(len(agent.sessions) for agent in agents) == 2


async def test_a_conversation_that_home_assistant_forgets_ends(home, endpoint, set_up):
    entry = await set_up(await endpoint(Turn(say="Hello.")), options={"idle_seconds": 3600})
    await converse(home, "Hello there.")
    agent = only(entry.runtime_data.agents)
    await later(home, 700)
    assert not agent.sessions


@pytest.mark.parametrize("back", ["free", "full"])
async def test_an_endpoint_is_looked_for_until_it_is_back(home, endpoint, set_up, refusing, back):  # noqa: F811
    refusing.status, refusing.code = 503, "busy"
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    good = dict(entry.data)
    object.__setattr__(entry, "data", {**good, "url": refusing.url})
    await converse(home, "Hello there.")
    agent = only(entry.runtime_data.agents)
    await later(home, 61)
    assert not agent.available
    if back == "full":
        refusing.code = "session_limit_reached"
    else:
        object.__setattr__(entry, "data", good)
    await later(home, 122)
    assert agent.available


async def test_an_endpoint_that_is_removed_is_looked_for_no_more(home, endpoint, set_up, monkeypatch):
    begun, go_on, looks = asyncio.Event(), asyncio.Event(), []

    async def look(*_):
        looks.append(1)
        begun.set()
        await go_on.wait()
        raise ConnectionFailed("It is away.")

    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    monkeypatch.setattr("custom_components.openai_realtime.health.probe", look)
    only(entry.runtime_data.agents).failed(ConnectionFailed("It is away."))
    async_fire_time_changed(home, dt_util.utcnow() + timedelta(seconds=61))
    async with asyncio.timeout(10):
        await begun.wait()
    await home.config_entries.async_remove(entry.entry_id)
    go_on.set()
    await later(home, 0)
    await later(home, 200)
    assert len(looks) == 1


@pytest.mark.parametrize("card", [False, True])
async def test_a_session_that_is_broken_off_as_it_opens_is_ended(home, endpoint, set_up, monkeypatch, card):
    begun, connected = asyncio.Event(), asyncio.Event()

    async def hang(*_, **fields):
        begun.set()
        await asyncio.Event().wait()

    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    agent = only(entry.runtime_data.agents)
    agent.listen(lambda: connected.set() if agent.activity.connected else None)
    monkeypatch.setattr("custom_components.openai_realtime.agent.configure", hang)
    if card:
        session = entry.runtime_data.cards.session(home, agent, "user", None)
        opening = asyncio.create_task(session.open(None, None, lambda _: True))
    else:
        opening = asyncio.create_task(agent.session("mine"))
    async with asyncio.timeout(10):
        await begun.wait()
        await connected.wait()
        if card:
            opening.cancel()
        else:
            await agent.close()
        await asyncio.gather(opening, return_exceptions=True)
    assert not agent.activity.connected


async def test_sensors_follow_the_connection(home, endpoint, set_up):
    entry = await set_up(await endpoint(Turn(say="Hello."), complete=False))
    await converse(home, "Hello there.")
    tell = only(only(entry.runtime_data.agents).sessions).client._audience.tell
    connected = "binary_sensor.ada_connected"
    assert home.states.get(connected).state == "on"
    tell(ConnectionInterrupted(code=1006, reason=""))
    assert home.states.get(connected).state == "off"
    tell(
        StateRestored(
            why="connection lost", code=1006, reason="", attempts=1, seconds=0.1, session_id="sess_2"
        )
    )
    assert home.states.get(connected).state == "on"


async def test_an_endpoint_that_has_had_enough_is_told_of_once(home, endpoint, set_up, caplog):
    """An error that will be the same next time makes the agent unavailable, or asks for what helps."""
    entry = await set_up(await endpoint(Turn(say="Hello."), complete=False))
    agent = only(entry.runtime_data.agents)
    await converse(home, "Hello there.")
    client = only(agent.sessions).client
    for code in ("beta_api_shape_disabled", "beta_api_shape_disabled", "not_fatal"):
        details = ErrorDetails(type="invalid_request_error", code=code, message="Enough.")
        client._audience.tell(ErrorEvent(event_id="e", error=details))
    assert not agent.available
    assert caplog.text.count("Cannot reach Endpoint: Enough.") == 1
    assert caplog.text.count("API Error: Enough.") == 3
    await later(home, 61)
    assert agent.available
    assert caplog.text.count("Endpoint is back") == 1


async def test_a_session_that_cannot_be_so_is_refused(home, endpoint, set_up):
    url = await endpoint(Turn(say="Unheard."), complete=False)
    entry = await set_up(url, agent={"max_output_tokens": 100, "speed": 99})
    result = await converse(home, "Hello there.")
    assert result.response.error_code == "unknown"
    agent = only(entry.runtime_data.agents)
    assert not agent.sessions
    assert not agent.activity.connected
    events, _ = await run_pipeline(home)
    assert events["error"][0]["code"] == "stt-stream-failed"


async def test_a_voice_that_fails_says_why(home, endpoint, set_up):
    await set_up(await endpoint(Turn(error="Hoarse.")))
    voice = home.data["tts"].get_entity("tts.ada_voice")
    with pytest.raises(HomeAssistantError) as raised:
        await voice.async_get_tts_audio("It rains.", "en", {})
    assert raised.value.translation_placeholders["error"] == "Hoarse."


async def test_a_prompt_that_is_wrong_is_told(home, endpoint, set_up):
    await set_up(await endpoint(Turn(say="Unheard."), complete=False), agent={"prompt": "{{ 1 / 0 }}"})
    result = await converse(home, "Hello there.")
    assert "template" in speech(result)


@pytest.mark.parametrize("follow_up", ["never", "question"])
async def test_a_question_may_be_left_alone(home, endpoint, set_up, follow_up):
    await set_up(await endpoint(Turn(hear="Hello.", say="How are you?")), agent={"follow_up": follow_up})
    events, _ = await run_pipeline(home)
    assert said(events) == "How are you?"
    goes_on = events["intent-end"][0]["intent_output"]["continue_conversation"]
    assert goes_on == (follow_up == "question")


async def test_a_transcription_that_fails_ends_the_turn(home, endpoint, set_up):
    await set_up(await endpoint(Turn(fail_transcription="Too loud."), complete=False))
    events, _ = await run_pipeline(home)
    assert events["error"][0]["code"] == "stt-stream-failed"


@pytest.mark.parametrize("answer", ["I do not know.", '{"colour": 3}'])
async def test_data_of_another_structure_is_none(home, endpoint, set_up, answer):
    await set_up(await endpoint(Turn(say=answer)))
    with pytest.raises(HomeAssistantError) as raised:
        await ai_task.async_generate_data(
            home,
            task_name="colour",
            entity_id="ai_task.ada_task",
            instructions="Which colour?",
            structure=vol.Schema({vol.Required("colour"): str}),
        )
    assert raised.value.translation_key == "no_data"


async def test_a_task_without_a_structure_is_text(home, endpoint, set_up):
    await set_up(await endpoint(Turn(expect="Which colour?", say="Red.")))
    made = await ai_task.async_generate_data(
        home, task_name="colour", entity_id="ai_task.ada_task", instructions="Which colour?"
    )
    assert made.data == "Red."
