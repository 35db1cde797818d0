"""A session that cards share, where something goes wrong, or is said twice."""

import pytest
from custom_components.openai_realtime.vivavoce.protocol.server_events import ErrorDetails, ErrorEvent
from homeassistant.components import system_health
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from test_websocket_api import FRAME, card, cards_of, only, session_of  # noqa: F401 - one is a fixture

from custom_components.openai_realtime import listener
from custom_components.openai_realtime.card_session import MOST_WAITING_IN
from custom_components.openai_realtime.diagnostics import async_get_config_entry_diagnostics
from vivavoce.testing import FunctionCall, Turn

DOMAIN = "openai_realtime"
BEA = {"subentry_type": "agent", "title": "Bea", "unique_id": None, "data": {"prompt": "Be kind."}}


def words(text, **fields):
    part = {"type": "input_text", "text": text}
    item = {"type": "message", "role": "user", "content": [part], **fields}
    return {"type": "conversation.item.create", "item": item}


def test_a_browser_is_told_no_more_than_it_takes(monkeypatch):
    monkeypatch.setattr(listener, "WINDOW", 2)
    monkeypatch.setattr(listener, "MOST_WAITING_OUT", 2)
    sent, over = [], []
    browser = listener.Listener(sent.append, over.append)
    assert [browser.tell(data) for data in (b"1", b"2", b"3", b"4", b"5")] == [True] * 4 + [False]
    assert sent == [b"1", b"2"]
    browser.acknowledge(1)
    assert sent == [b"1", b"2", b"3"]
    browser.acknowledge(9)
    assert sent == [b"1", b"2", b"3", b"4", b"5"]
    browser.end(HomeAssistantError("Enough."))
    assert len(over) == 1


async def test_a_session_that_cannot_be_so_is_not_opened(endpoint, set_up, card):  # noqa: F811
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False), agent={"speed": 99})
    told = await (await card()).ask("session")
    assert told["error"]["translation_domain"] == DOMAIN
    assert len(cards_of(entry)) == 0
    assert not only(entry.runtime_data.agents).activity.connected


async def test_a_conversation_that_is_cleared_has_no_more_cards(home, endpoint, set_up, card):  # noqa: F811
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False), subentries=[BEA])
    first = await (await card()).join(entity_id="conversation.ada")
    await (await card()).join(entity_id="conversation.bea")
    await first.send(words("My secret is 42."))
    await first.event("conversation.item.done")
    cleared = {"entity_id": "conversation.ada"}
    await home.services.async_call(DOMAIN, "clear_conversation", cleared, blocking=True)
    assert (await first.event(f"{DOMAIN}.left"))["key"] == "session_ended"
    assert len(cards_of(entry)) == 1
    await first.join(entity_id="conversation.ada")
    await first.send(words("What is my secret?"))
    await first.event("conversation.item.done")
    session, _ = cards_of(entry)._sessions.values()
    assert [item.words for item in session._client.conversation.items] == ["What is my secret?"]


async def test_open_sessions_are_counted(home, endpoint, set_up, card, monkeypatch):  # noqa: F811
    async def reached(*_):
        return "ok"

    monkeypatch.setattr(system_health, "async_check_can_reach_url", reached)
    assert await async_setup_component(home, system_health.DOMAIN, {})
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    for sessions in (0, 1):
        health = (await system_health.get_info(home))[DOMAIN]
        told = await async_get_config_entry_diagnostics(home, entry)
        assert [health["card_sessions"], told["agents"][0]["card_sessions"]] == [sessions] * 2
        await (await card()).join()


async def test_a_turn_is_told_in_the_log(home, endpoint, set_up, card, caplog):  # noqa: F811
    """Each line of the table in the troubleshooting page, in its order."""
    caplog.set_level("DEBUG", f"custom_components.{DOMAIN}")
    call = FunctionCall("get_entity_state", {"entity_id": "light.kitchen"})
    url = await endpoint(Turn(hear="Is it on?", call=call), Turn(say="Nobody knows."))
    await set_up(url, agent={"llm_hass_api": [DOMAIN]})
    browser = await (await card()).join()
    await browser.configure()
    await browser.turn()
    assert (await browser.event("response.output_audio_transcript.done"))["transcript"] == "Nobody knows."
    at = 0
    for line in (
        "Registering event handlers including function_call handler",
        "Connected to OpenAI Realtime API",
        "Updating session with 5 tools",
        "Session updated",
        "Function call received: get_entity_state",
        "Function result sent to OpenAI",
    ):
        assert (at := caplog.text.find(line, at)) >= 0, line
    assert "Session created: sess_" in caplog.text


async def test_who_is_left_by_the_endpoint_may_come_again(endpoint, set_up, card):  # noqa: F811
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    browser = await (await card()).join()
    await session_of(entry)._client.close()
    assert (await browser.event(f"{DOMAIN}.left"))["key"]
    assert len(cards_of(entry)) == 0
    await browser.join()
    assert len(cards_of(entry)) == 1


async def test_an_error_is_told_to_who_has_asked(endpoint, set_up, card):  # noqa: F811
    entry = await set_up(await endpoint(Turn(hear="Hello.", say="Hello there.")))
    browser, other = await (await card()).join(), await (await card()).join()
    await browser.configure()
    await browser.turn()
    await browser.event("response.done")
    session = session_of(entry)
    (asked,) = session._requests
    details = ErrorDetails(type="invalid_request_error", code="busy", message="No.", event_id=asked)
    session._client._audience.tell(ErrorEvent(event_id="event_1", error=details))
    refusal = (await browser.event("error"))["error"]
    assert (refusal["code"], refusal["message"], refusal["event_id"]) == ("busy", "No.", "create_1")
    assert "error" not in await other.sync()


async def test_what_is_known_or_not_taken_is_passed_over(endpoint, set_up, card):  # noqa: F811
    """A page that is back tells its items again; who was not heard has nothing to commit, nor an answer to cancel."""
    url = await endpoint(Turn(expect="I am Ada.", say="Hello, Ada."), complete=False)
    entry = await set_up(url)
    browser, other = await (await card()).join(), await (await card()).join()
    await browser.send(words("I am Ada.", id="item_1"))
    await browser.event("conversation.item.added")
    await browser.send(words("I am Ada.", id="item_1"))
    await other.send({"type": "input_audio_buffer.commit"})
    await other.send({"type": "response.cancel"})
    await browser.send({"type": "response.create"})
    await browser.event("response.done")
    assert [item.words for item in session_of(entry)._client.conversation.items] == [
        "I am Ada.",
        "Hello, Ada.",
    ]
    assert "error" not in await other.sync()


async def test_who_sends_too_much_is_told(endpoint, set_up, card):  # noqa: F811
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    await (await card()).join()
    session = session_of(entry)
    for _ in range(MOST_WAITING_IN):  # without letting any of it on its way
        session.take(session.listeners[0], FRAME)
    with pytest.raises(HomeAssistantError) as raised:
        session.take(session.listeners[0], FRAME)
    assert raised.value.translation_key == "congested"
