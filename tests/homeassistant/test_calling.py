"""Calls of cards: speech goes straight to the endpoint, all else through Home Assistant, and nobody is cut off."""

import asyncio
import base64
import json

import pytest
from aiohttp import WSMsgType, web
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from pytest_homeassistant_custom_component.common import async_mock_service
from test_websocket_api import FRAME, Card, card, only, session_of  # noqa: F401 - one is a fixture

from custom_components.openai_realtime.diagnostics import async_get_config_entry_diagnostics
from vivavoce.errors import ConnectionLost
from vivavoce.testing import Expect, FunctionCall, Script, ScriptedEngine, Turn

DOMAIN = "openai_realtime"
OFFER = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
ANSWER = "v=0\r\nm=audio 40000 UDP/TLS/RTP/SAVPF 111\r\n"


class Endpoint:
    """An endpoint that takes calls, though nobody calls: what a caller says is put in by hand."""

    def __init__(self, engine):
        self.engine = engine
        self.status = 201
        self.forgets = False
        self.places, self.refused = 9, 0
        self.slowness = 0.0
        """Seconds that it takes to hang up."""
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        self.answers.set()
        self.speaks = asyncio.Event()
        self.speaks.set()
        self.offers, self.hung_up, self.plain = [], [], 0
        self.calls = {}
        self.taken = set()
        self.sidebands = {}

    async def serve(self, stack):
        app = web.Application()
        app.router.add_post("/v1/realtime/calls", self._begin)
        app.router.add_post("/v1/realtime/calls/{id}/hangup", self._hang_up)
        app.router.add_get("/v1/realtime", self._session)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await stack.enter_async_context(self.engine)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

    async def _begin(self, request):
        form = await request.post()
        self.offers.append(
            (form["sdp"].decode(), json.loads(form["session"]), request.headers["Authorization"])
        )
        self.asked.set()
        await self.answers.wait()
        if self.status != 201:
            return web.Response(status=self.status)
        call_id = f"rtc_{len(self.offers)}"
        if not self.forgets:
            self.calls[call_id] = self.engine.connect()
            self.taken.add(call_id)
        return web.Response(status=201, text=ANSWER, headers={"Location": f"/v1/realtime/calls/{call_id}"})

    async def _hang_up(self, request):
        await asyncio.sleep(self.slowness)
        self.hung_up.append(request.match_info["id"])
        self.taken.discard(self.hung_up[-1])
        return web.Response()

    async def _session(self, request):
        call_id = request.query.get("call_id")
        if call_id is not None and call_id not in self.calls:
            return web.Response(status=404)
        if call_id is None and len(self.taken) >= self.places:
            self.refused += 1
            full = {
                "type": "server_error",
                "code": "session_limit_reached",
                "message": "It is full.",
                "param": None,
            }
            return web.json_response({"error": full}, status=503)
        self.plain += call_id is None
        if call_id is None:
            self.taken.add(id(request))
        transport = self.engine.connect() if call_id is None else self.calls[call_id]
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sidebands[call_id] = socket
        telling = asyncio.create_task(self._tell(transport, socket))
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await transport.send(message.data)
        self.taken.discard(id(request))
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await transport.close()
        return socket

    async def _tell(self, transport, socket):
        await self.speaks.wait()
        try:
            while True:
                event = json.loads(await transport.receive())
                await socket.send_json(event)
        except ConnectionLost:
            await socket.close()

    async def say(self, call_id, kind, **fields):
        """Let the call itself tell something beside."""
        await self.sidebands[call_id].send_json({"type": kind, "event_id": "event_call", **fields})

    async def speak(self, call_id, frames=5):
        """Let the caller speak."""
        for _ in range(frames):
            audio = base64.b64encode(FRAME).decode()
            await self.calls[call_id].send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))


@pytest.fixture
async def taking_calls():
    """Serve a script to callers, and return the endpoint: ``await taking_calls(turns…)``."""
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:

        async def serve(*turns, complete=False, **script):
            endpoint = Endpoint(ScriptedEngine(Script(turns=list(turns), **script), complete=complete))
            await endpoint.serve(stack)
            return endpoint

        yield serve


class Caller(Card):
    """A browser that offers a call."""

    @classmethod
    def of(cls, browser):
        caller = cls(browser.ws)
        caller.ids = browser.ids
        return caller

    async def call(self, **fields):
        await self.join(offer=OFFER, **fields)
        return self.joined.get("answer")

    async def turn(self):
        """Hold the button, and let it go: what was said went by the call."""
        await self.speak(*[b""] * 5)
        await self.send({"type": "input_audio_buffer.commit"})
        await self.send({"type": "response.create", "event_id": "create_1"})


@pytest.fixture
async def caller(card):  # noqa: F811
    """Return what opens a browser that offers calls."""

    async def caller(*token):
        return Caller.of(await card(*token))

    return caller


async def test_a_turn_of_a_call_is_answered_and_the_house_acts(
    home, taking_calls, set_up, caller, hass_admin_user
):
    home.states.async_set("light.kitchen", "off")
    async_expose_entity(home, "conversation", "light.kitchen", should_expose=True)
    calls = async_mock_service(home, "light", "turn_on")
    turn_on = {"domain": "light", "service": "turn_on", "entity_id": ["light.kitchen"]}
    endpoint = await taking_calls(
        Turn(hear="Turn on the kitchen light.", call=FunctionCall("call_service", turn_on)),
        Turn(expect=Expect(output_matches="success"), say="It is on."),
    )
    entry = await set_up(endpoint.url, agent={"llm_hass_api": [DOMAIN], "model": "gpt-realtime-2.1"})
    browser = await caller()
    assert await browser.call() == ANSWER
    session = {"type": "realtime", "model": "gpt-realtime-2.1"}
    assert endpoint.offers == [(OFFER, session, "Bearer sk-secret")]
    assert only(entry.runtime_data.agents).activity.connected
    await browser.configure()
    await endpoint.speak("rtc_1")
    await browser.turn()
    heard = await browser.event("conversation.item.input_audio_transcription.completed")
    assert heard["transcript"] == "Turn on the kitchen light."
    seen = str(browser.events)
    assert (await browser.event("response.output_audio_transcript.done"))["transcript"] == "It is on."
    await browser.event("response.done")
    assert [call.context.user_id for call in calls] == [hass_admin_user.id]
    assert "response.output_audio.delta" not in seen + str(browser.events)  # it sounds in the call
    assert endpoint.plain == 1  # the probe


async def test_a_browser_reads_and_says_nothing_past_home_assistant(taking_calls, set_up, caller):
    endpoint = await taking_calls(Turn(say="Unheard."))
    await set_up(endpoint.url)
    browser = await caller()
    for offer in (
        OFFER + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
        OFFER + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
        "v=0\r\n",
    ):
        told = await browser.ask("session", offer=offer)
        assert told["error"]["code"] == "not_allowed"
        assert "one voice" in told["error"]["message"]
    assert endpoint.offers == []


async def test_the_answer_does_not_wait_for_the_session(taking_calls, set_up, caller):
    """An endpoint may say nothing before the caller is there."""
    endpoint = await taking_calls(Turn(say="Unheard."))
    await set_up(endpoint.url)
    endpoint.speaks.clear()
    browser = await caller()
    assert (await browser.ask("session", offer=OFFER))["success"]
    assert (await browser.event(f"{DOMAIN}.joined"))["answer"] == ANSWER
    assert await browser.sync() == []
    endpoint.speaks.set()
    await browser.event("session.created")


async def test_a_call_that_fails_before_the_session_is_there_is_done_without(taking_calls, set_up, caller):
    endpoint = await taking_calls(Turn(hear="What time is it?", say="Three."))
    entry = await set_up(endpoint.url)
    endpoint.speaks.clear()
    browser = await caller()
    assert (await browser.ask("session", offer=OFFER))["success"]
    browser.joined = await browser.event(f"{DOMAIN}.joined")
    assert (await browser.ask("session/hang_up", subscription=browser.subscription))["success"]
    endpoint.speaks.set()
    await browser.event("session.created")
    await browser.configure()
    await Card.turn(browser)
    await browser.event("response.output_audio.delta")
    assert endpoint.hung_up == ["rtc_1"]
    assert "Be brief." in session_of(entry)._client.session.instructions


async def test_a_session_that_cannot_be_so_ends_the_call(taking_calls, set_up, caller):
    endpoint = await taking_calls(Turn(say="Unheard."))
    entry = await set_up(endpoint.url, agent={"speed": 99})
    browser = await caller()
    assert (await browser.ask("session", offer=OFFER))["success"]
    await browser.event(f"{DOMAIN}.joined")
    assert (await browser.event(f"{DOMAIN}.left"))["key"]
    assert endpoint.hung_up == ["rtc_1"]
    assert len(entry.runtime_data.cards) == 0


async def test_an_answer_that_nobody_waits_for_is_hung_up(taking_calls, set_up, caller):
    """A page that has gone while the endpoint thought of its answer."""
    endpoint = await taking_calls(Turn(say="Unheard."))
    entry = await set_up(endpoint.url)
    browser = await caller()
    endpoint.answers.clear()
    asked = asyncio.create_task(browser.ask("session", offer=OFFER))
    await endpoint.asked.wait()
    await browser.ws.close()
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    endpoint.answers.set()
    async with asyncio.timeout(60):
        while endpoint.plain < 2:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
    assert endpoint.hung_up == ["rtc_1"]
    assert session_of(entry)._calling.caller is None


@pytest.mark.parametrize(("status", "asked_again"), [(404, False), (405, False), (400, True), (503, True)])
async def test_an_endpoint_without_calls_is_spoken_to_as_before(
    home, taking_calls, set_up, caller, status, asked_again, caplog
):
    caplog.set_level("DEBUG", f"custom_components.{DOMAIN}")
    endpoint = await taking_calls(Turn(hear="What time is it?", say="Three."))
    endpoint.status = status
    entry = await set_up(endpoint.url)
    browser = await caller()
    assert await browser.call() is None
    await browser.configure()
    await Card.turn(browser)
    await browser.event("response.output_audio.delta")
    await browser.event("response.done")
    assert f"status {status}" in caplog.text
    diagnostics = await async_get_config_entry_diagnostics(home, entry)
    assert diagnostics["agents"][0]["takes_calls"] == asked_again
    assert only(entry.runtime_data.agents).available
    await session_of(entry).close()
    assert await (await caller()).call() is None
    assert len(endpoint.offers) == 1 + asked_again


async def test_a_call_whose_sideband_is_refused_is_hung_up(taking_calls, set_up, caller):
    endpoint = await taking_calls(Turn(hear="What time is it?", say="Three."))
    entry = await set_up(endpoint.url)
    endpoint.forgets = True
    assert await (await caller()).call() is None
    assert endpoint.hung_up == ["rtc_1"]
    assert only(entry.runtime_data.agents).available


@pytest.mark.parametrize("who", ["browser", "endpoint"])
async def test_a_call_that_ends_goes_on_through_home_assistant(taking_calls, set_up, caller, who):
    endpoint = await taking_calls(Turn(hear="Who am I?", say="Ada."))
    entry = await set_up(endpoint.url)
    browser = await caller()
    await browser.call()
    await browser.configure()
    if who == "browser":
        assert (await browser.ask("session/hang_up", subscription=browser.subscription))["success"]
    else:
        await endpoint.sidebands["rtc_1"].close(code=1000, message=b"hung up")
    await browser.event(f"{DOMAIN}.hung_up")
    await browser.configure()
    await Card.turn(browser)
    await browser.event("response.output_audio.delta")
    await browser.event("response.done")
    assert endpoint.hung_up == ["rtc_1"]
    assert endpoint.plain == 2
    assert only(entry.runtime_data.agents).available
    session = session_of(entry)._client.session
    assert "Be brief." in session.instructions


async def test_who_else_speaks_ends_the_call(taking_calls, set_up, caller, card, monkeypatch):  # noqa: F811
    """There is one microphone at a time: the other's goes through Home Assistant, so the session does."""
    monkeypatch.setattr("custom_components.openai_realtime.card_session.FLOOR_SECONDS", 0)
    endpoint = await taking_calls(Turn(hear="Me too.", say="You too."))
    await set_up(endpoint.url)
    browser, other = await caller(), await caller()
    assert await browser.call() == ANSWER
    await browser.configure()
    assert await other.call() is None  # the session is somebody's already
    await other.configure()
    assert "openai_realtime.hung_up" not in await browser.sync()
    await Card.turn(other)
    await browser.event(f"{DOMAIN}.hung_up")
    await other.event("response.output_audio.delta")
    await other.event("response.done")
    assert "response.output_audio.delta" not in await browser.sync()


async def test_a_page_that_is_back_calls_again_and_goes_on(taking_calls, set_up, caller):
    endpoint = await taking_calls(Turn(expect="I am Ada.", say="Hello, Ada."), after="repeat")
    entry = await set_up(endpoint.url)
    browser = await caller()
    await browser.call()
    await browser.configure()
    content = [{"type": "input_text", "text": "I am Ada."}]
    await browser.send(
        {
            "type": "conversation.item.create",
            "item": {"type": "message", "role": "user", "content": content},
        }
    )
    await browser.send({"type": "response.create"})
    await browser.event("response.done")
    await browser.ws.close()
    session = session_of(entry)
    async with asyncio.timeout(60):
        while session._calling.caller is not None or endpoint.plain < 2:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
    again = await caller()
    assert await again.call() == ANSWER
    assert len(endpoint.offers) == 2
    told = [(await again.event("conversation.item.added"))["item"]["content"][0]["text"] for _ in range(2)]
    assert told == ["I am Ada.", "Hello, Ada."]
    assert session._calling.caller is session.listeners[0]


async def visit(endpoint, caller, *, times):
    """Call and go away, so often; each time the session goes on over a connection of its own."""
    for visits in range(1, times + 1):
        browser = await caller()
        assert await browser.call() == ANSWER
        await browser.ws.close()
        async with asyncio.timeout(60):
            while endpoint.plain < visits + 1:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)


async def test_a_page_that_comes_and_goes_is_no_failure(taking_calls, set_up, caller, monkeypatch):
    """As often as it likes: the session moves with it, and is not taken for one that cannot be had."""
    monkeypatch.setattr("custom_components.openai_realtime.card_session.STEADY_SECONDS", 0)
    endpoint = await taking_calls(Turn(say="Unheard."))
    entry = await set_up(endpoint.url)
    await visit(endpoint, caller, times=8)
    assert session_of(entry).is_open


async def test_an_endpoint_with_one_place_has_it_back_first(taking_calls, set_up, caller):
    endpoint = await taking_calls(Turn(say="Unheard."))
    await set_up(endpoint.url)
    endpoint.places, endpoint.slowness = 1, 0.1
    await visit(endpoint, caller, times=2)
    assert endpoint.refused == 0


async def test_what_is_heard_is_told_and_silenced_through_home_assistant(taking_calls, set_up, caller):
    endpoint = await taking_calls(Turn(say="Unheard."))
    entry = await set_up(endpoint.url)
    browser, other = await caller(), await caller()
    await browser.call()
    await other.join()
    sent = session_of(entry)._client.send
    cleared = []

    async def send(event):
        if event.type == "output_audio_buffer.clear":
            cleared.append(event)
        else:
            await sent(event)

    session_of(entry)._client.send = send
    await endpoint.say("rtc_1", "output_audio_buffer.started", response_id="resp_1")
    assert (await browser.event("output_audio_buffer.started"))["response_id"] == "resp_1"
    assert only(entry.runtime_data.agents).activity.speaking
    await browser.send({"type": "output_audio_buffer.clear"})
    await other.send({"type": "output_audio_buffer.clear"})  # which is in no call
    await browser.sync()
    assert len(cleared) == 1


async def test_the_end_of_the_session_is_the_end_of_the_call(home, taking_calls, set_up, caller):
    endpoint = await taking_calls(Turn(say="Unheard."))
    entry = await set_up(endpoint.url)
    browser = await caller()
    await browser.call()
    assert await home.config_entries.async_unload(entry.entry_id)
    assert (await browser.event(f"{DOMAIN}.left"))["key"] == "session_ended"
    assert endpoint.hung_up == ["rtc_1"]
