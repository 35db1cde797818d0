import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import numpy as np
import pytest

from tests.gateway.auth.knocking import bearer, mint
from tests.gateway.doubles import ScriptedUpstream, gateway
from vivavoce.errors import VivaVoceError
from vivavoce.gateway.app import create_app
from vivavoce.gateway.auth.door import GUEST_HEADER
from vivavoce.gateway.passage import Down, Stage
from vivavoce.gateway.routes._beside import MOST_SIDEBANDS
from vivavoce.gateway.routes.calls import ice_servers
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.protocol.codec import Frame
from vivavoce.testing.engine import ScriptedEngine
from vivavoce.testing.script import Script, Turn
from vivavoce.webrtc.door import without_candidates
from vivavoce.webrtc.leg import IceServer, Leg
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE

CALLS = "/v1/realtime/calls"


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch):
    monkeypatch.setattr(
        "aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"] if use_ipv4 else []
    )


class Caller:
    """A peer that calls a gateway."""

    def __init__(self, running):
        self.running = running
        self.frames, self.heard, self._told = [], [], asyncio.Queue()
        self.leg = Leg(self._next, self.heard.append, lambda data: self._told.put_nowait(json.loads(data)))
        self.location = ""

    def _next(self):
        return self.frames.pop(0) if self.frames else None

    async def call(self, session=None, path=CALLS, *, addresses=True):
        """Call; without its ``addresses`` as a page does that does not wait for them."""
        offer = await self.leg.offer()
        offer = offer if addresses else without_candidates(offer)
        if session is None:
            data, headers = offer, {"Content-Type": "application/sdp"}
        else:
            data, headers = aiohttp.FormData(), {}
            data.add_field("sdp", offer, content_type="application/sdp")
            data.add_field("session", json.dumps(session), content_type="application/json")
        async with self.running.client.post(self.running.url(path), data=data, headers=headers) as response:
            assert response.status == 201, await response.text()
            assert response.content_type == "application/sdp"
            self.location = response.headers["Location"]
            await self.leg.accept(await response.text())
        return self

    async def told(self):
        async with asyncio.timeout(20):
            return await self._told.get()

    async def tell(self, event):
        await self.leg.send(json.dumps(event))


@asynccontextmanager
async def calling(running, *args, **kwargs):
    caller = await Caller(running).call(*args, **kwargs)
    try:
        yield caller
    finally:
        await caller.leg.close()


class TestCalling:
    async def test_events_and_speech_reach_the_endpoint(self):
        async with gateway() as running, calling(running) as caller:
            assert caller.location.startswith("/v1/realtime/calls/rtc_")
            assert (await caller.told())["type"] == "session.created"
            await caller.tell({"type": "response.create"})
            assert (await caller.told())["event"] == {"type": "response.create"}
            caller.frames += [np.full(FRAME_SAMPLES, 1000, np.int16)] * 10
            caller.leg.wake()
            assert (await caller.told())["event"]["type"] == "input_audio_buffer.append"

    async def test_a_form_says_what_the_session_begins_with(self):
        session = {"type": "realtime", "model": "gpt-realtime-2.1", "instructions": "Be brief."}
        async with gateway() as running, calling(running, session) as caller:
            await caller.told()
            (opened,) = running.upstream.sessions
            assert (opened.params.instructions, opened.model) == ("Be brief.", "gpt-realtime-2.1")

    async def test_a_call_passes_the_stages(self):
        class Answers(Stage):
            wants_up = frozenset({"ask"})

            def up(self, frame, now):
                return [Down(Frame('{"type":"answered"}'))]

        async with gateway(stages=(lambda _: Answers(),)) as running, calling(running) as caller:
            await caller.told()
            await caller.tell({"type": "ask"})
            assert await caller.told() == {"type": "answered"}

    async def test_takes_a_place_until_it_is_over(self):
        async with gateway(max_sessions=1) as running:
            async with calling(running) as caller:
                await caller.told()
                assert len(running.sessions) == 1
                status, error, _ = await running.refused()
                assert (status, error["code"]) == (503, "session_limit_reached")
            assert (await running.upstream.sessions[0].closed)[0] == 1000
            async with calling(running) as another:
                assert (await another.told())["type"] == "session.created"

    async def test_of_many_that_come_at_once_one_gets_the_last_place(self):
        async with gateway(max_sessions=1) as running:
            callers = [Caller(running) for _ in range(6)]
            offers = [await caller.leg.offer() for caller in callers]
            statuses = await asyncio.gather(*(offered(running, offer) for offer in offers))
            assert sorted(statuses) == [201, *[503] * 5]
            assert len(running.upstream.sessions) == 1
            await asyncio.gather(*(caller.leg.close() for caller in callers))


async def offered(running, offer):
    """Post an offer; return the status of the answer."""
    headers = {"Content-Type": "application/sdp"}
    async with running.client.post(running.url(CALLS), data=offer, headers=headers) as response:
        return response.status


class TestBeta:
    async def test_an_old_page_is_understood_and_heard(self):
        """As pages of the beta call: the offer to the address of sessions, flat fields, and the old names."""
        upstream = LocalUpstream(ScriptedEngine(Script(turns=[Turn(expect="Hello?", say="Hello!")])))
        async with gateway(upstream) as running:
            caller = await Caller(running).call(path="/v1/realtime?model=gpt-4o-realtime-preview")
            created = await caller.told()
            assert (created["type"], created["session"]["voice"]) == ("session.created", "alloy")
            session = {"instructions": "Be brief.", "modalities": ["audio", "text"], "voice": "sage"}
            await caller.tell({"type": "session.update", "session": session})
            updated = await caller.told()
            assert (updated["type"], updated["session"]["voice"]) == ("session.updated", "sage")
            item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello?"}]}
            await caller.tell({"type": "conversation.item.create", "item": item})
            await caller.tell({"type": "response.create"})
            kinds = []
            while "output_audio_buffer.stopped" not in kinds:
                kinds.append((await caller.told())["type"])
            assert {"response.audio_transcript.delta", "response.done", "output_audio_buffer.started"} <= {
                *kinds
            }
            assert "response.audio.delta" not in kinds
            assert np.abs(np.concatenate(caller.heard)).max() > 1000
            await caller.leg.close()

    async def test_a_page_that_greets_by_itself_and_answers_every_update_with_another(self):
        """As a widely read guide builds it: on each ``session.updated`` it asks for the same again, for ever."""
        turns = [Turn(say="How can I help you?"), Turn(expect="What time is it?", say="Noon.")]
        upstream = LocalUpstream(ScriptedEngine(Script(turns=turns)))
        session = {
            "instructions": "Be brief.",
            "modalities": ["audio", "text"],
            "voice": "alloy",
            "temperature": 0.7,
        }
        async with gateway(upstream) as running:
            caller, seen = Caller(running), []

            async def told_until(kind):
                while not seen or seen[-1]["type"] != kind:
                    seen.append(await caller.told())
                    if seen[-1]["type"] in {"session.created", "session.updated"}:
                        await caller.tell({"type": "session.update", "session": session})

            async def say(role, text):
                item = {"type": "message", "role": role, "content": [{"type": "text", "text": text}]}
                await caller.tell({"type": "conversation.item.create", "item": item})
                await caller.tell({"type": "response.create"})
                await told_until("output_audio_buffer.stopped")
                seen.append({"type": "heard"})

            await caller.call(path="/v1/realtime?model=gpt-4o-mini-realtime-preview", addresses=False)
            await told_until("session.updated")
            await say("assistant", "Hello! How can I help you today?")
            await say("user", "What time is it?")
            await caller.leg.close()
        kinds = [event["type"] for event in seen]
        assert "error" not in kinds
        assert kinds.count("session.updated") > 3
        written = [event["transcript"] for event in seen if event["type"] == "response.audio_transcript.done"]
        assert written == ["How can I help you?", "Noon."]
        updated = next(event["session"] for event in seen if event["type"] == "session.updated")
        assert all(updated[name] == session[name] for name in ("instructions", "voice", "temperature"))


class TestFormats:
    """On a call the media has the formats of its SDP, whatever the session says of its own."""

    BETA = ("/v1/realtime?model=gpt-4o-realtime-preview", {"input_audio_format": "g711_ulaw"})
    BETA[1]["output_audio_format"] = "g711_alaw"
    TODAY = (
        CALLS,
        {
            "type": "realtime",
            "audio": {
                "input": {"format": {"type": "audio/pcmu"}},
                "output": {"format": {"type": "audio/pcma"}},
            },
        },
    )

    @pytest.mark.parametrize(("path", "session"), [BETA, TODAY], ids=["beta", "today"])
    async def test_a_session_in_telephone_formats_hears_and_speaks_as_ever(self, path, session):
        upstream = LocalUpstream(ScriptedEngine(Script(turns=[Turn(hear="Hello?", say="Hello to you!")])))
        silence = np.zeros(FRAME_SAMPLES, np.int16)
        speech = (12_000 * np.sin(np.arange(FRAME_SAMPLES) * 2 * np.pi / 48)).astype(np.int16)
        events = []
        async with gateway(upstream) as running, calling(running, path=path) as caller:

            async def told(kind):
                while kind not in events:
                    events.append((await caller.told())["type"])

            await told("session.created")
            await caller.tell({"type": "session.update", "session": session})
            await told("session.updated")
            caller.frames += [silence] * 50
            caller.leg.wake()
            async with asyncio.timeout(20):
                while caller.frames:  # noqa: ASYNC110 - media has no event
                    await asyncio.sleep(0.01)
            await caller.tell({"type": "input_audio_buffer.clear"})
            await told("input_audio_buffer.cleared")
            assert "input_audio_buffer.speech_started" not in events  # silence is silence
            caller.frames += [speech] * 50 + [silence] * 200
            caller.leg.wake()
            await told("output_audio_buffer.stopped")
            heard = np.concatenate(caller.heard).astype(float)
            spectrum = np.abs(np.fft.rfft(heard)) ** 2
            frequency = np.arange(len(spectrum)) * RATE / len(heard)
            near = abs(frequency - frequency[spectrum.argmax()]) < 100  # however often it was interrupted
            assert spectrum[near].sum() > 0.8 * spectrum.sum()  # a tone, and no noise


class TestOnePort:
    async def test_all_calls_come_through_it(self):
        async with gateway(call_port=0, public_address="127.0.0.1") as running:
            async with calling(running) as caller, calling(running) as another:
                for one in (caller, another):
                    assert (await one.told())["type"] == "session.created"
                assert len(running.calls.door._callers) == 2
            async with asyncio.timeout(20):
                while len(running.sessions):  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0.01)
            assert not running.calls.door._callers

    @pytest.mark.parametrize("host", ["0.0.0.0", "::"])
    def test_has_to_have_an_address_that_can_be_told(self, host):
        anywhere = {"host": host, "call_port": 0, "local_access": "open"}
        with pytest.raises(VivaVoceError, match=f"VIVAVOCE_PUBLIC_ADDRESS.* VIVAVOCE_HOST is {host},"):
            create_app(GatewaySettings(**anywhere), ScriptedUpstream())
        create_app(GatewaySettings(**anywhere, public_address="192.0.2.7"), ScriptedUpstream())


class TestHangingUp:
    async def test_ends_the_call(self):
        async with gateway() as running, calling(running) as caller:
            await caller.told()
            async with running.client.post(running.url(f"{caller.location}/hangup")) as response:
                assert response.status == 200
            assert await running.upstream.sessions[0].closed == (1000, "hung up")
            assert (await caller.leg.ended()).code == 1000
            async with running.client.post(running.url(f"{caller.location}/hangup")) as response:
                assert response.status == 404
                assert (await response.json())["error"]["code"] == "call_not_found"

    async def test_takes_an_ephemeral_key_of_the_same_user(self):
        async with gateway() as running, calling(running) as caller:
            await caller.told()
            hang_up = running.url(f"{caller.location}/hangup")
            stranger = await mint(running, headers={GUEST_HEADER: "somebody else"})
            for key, status in ((stranger, 404), (await mint(running), 200)):
                async with running.client.post(hang_up, headers=bearer(key)) as response:
                    assert response.status == status
            assert await running.upstream.sessions[0].closed == (1000, "hung up")

    async def test_a_server_that_stops_ends_all_calls(self):
        async with gateway() as running:
            caller = await Caller(running).call()
            await caller.told()
        assert (await running.upstream.sessions[0].closed)[0] == 1001
        await caller.leg.close()


class TestSideband:
    async def test_hears_and_controls_the_call(self):
        async with gateway() as running, calling(running) as caller:
            await caller.told()
            call_id = caller.location.rsplit("/", 1)[1]
            async with running.connect(f"/v1/realtime?call_id={call_id}") as ws:
                await ws.send_str('{"type":"response.create"}')
                assert (await ws.receive_json())["event"] == {"type": "response.create"}
                assert (await caller.told())["event"] == {"type": "response.create"}
            await caller.tell({"type": "still.there"})
            assert (await caller.told())["event"] == {"type": "still.there"}
            assert len(running.upstream.sessions) == 1

    async def test_silences_the_answer(self):
        async with gateway() as running, calling(running) as caller:
            await caller.told()
            call_id = caller.location.rsplit("/", 1)[1]
            async with running.connect(f"/v1/realtime?call_id={call_id}") as ws:
                await ws.send_str('{"type":"output_audio_buffer.clear"}')  # which the endpoint would refuse
                await ws.send_str('{"type":"response.create"}')
                assert (await ws.receive_json())["event"] == {"type": "response.create"}

    async def test_takes_no_place_of_a_server_that_is_full(self, tmp_path):
        policy = tmp_path / "policy.yaml"
        policy.write_text("default: {limits: {sessions: 1}}\n")
        for full in ({"max_sessions": 1}, {"policy": policy}):
            async with gateway(**full) as running, calling(running) as caller:
                await caller.told()
                call_id = caller.location.rsplit("/", 1)[1]
                async with running.connect(f"/v1/realtime?call_id={call_id}") as ws:
                    await ws.send_str('{"type":"response.create"}')
                    assert (await ws.receive_json())["event"] == {"type": "response.create"}
                    assert len(running.sessions) == 1
                assert (await running.refused())[0] in {429, 503}

    async def test_is_one_of_eight(self):
        async with gateway() as running, calling(running) as caller, AsyncExitStack() as sidebands:
            await caller.told()
            path = f"/v1/realtime?call_id={caller.location.rsplit('/', 1)[1]}"
            for _ in range(MOST_SIDEBANDS):
                await sidebands.enter_async_context(running.connect(path))
            status, error, _ = await running.refused(path)
            assert (status, error["code"]) == (429, "sideband_limit_reached")

    async def test_learns_that_the_call_is_over(self):
        async with gateway() as running, calling(running) as caller:
            await caller.told()
            call_id = caller.location.rsplit("/", 1)[1]
            async with running.connect(f"/v1/realtime?call_id={call_id}") as ws:
                running.upstream.sessions[0].hang_up(1001, "enough")
                await ws.receive()
                assert ws.close_code == 1001


class TestRefusing:
    @pytest.mark.parametrize(
        ("data", "content_type", "code"),
        [
            (b"v=0", "application/sdp", "invalid_offer"),
            (b"\xff\xff", "application/sdp", "invalid_offer"),
            (b"{}", "application/json", "unsupported_content_type"),
            (b"--x\r\n", "multipart/form-data; boundary=x", "invalid_value"),
            (b"--x--\r\n", "multipart/form-data; boundary=x", "missing_required_parameter"),
            (b"--x\r\n--x--\r\n", "multipart/form-data; boundary=x", "invalid_value"),
            (b"nonsense", "multipart/form-data", None),
        ],
    )
    async def test_what_is_no_offer_gets_400_and_leaves_nothing_behind(self, data, content_type, code):
        async with gateway() as running:
            headers = {"Content-Type": content_type}
            async with running.client.post(running.url(CALLS), data=data, headers=headers) as response:
                assert response.status == 400
                error = (await response.json())["error"]
                assert code in (None, error["code"])
            assert len(running.sessions) == 0
            assert all(session.closed.done() for session in running.upstream.sessions)

    async def test_what_cannot_be_a_session_gets_400(self):
        async with gateway() as running:
            data = aiohttp.FormData()
            data.add_field("sdp", "v=0", content_type="application/sdp")
            data.add_field("session", '{"type":"transcription"}', content_type="application/json")
            async with running.client.post(running.url(CALLS), data=data) as response:
                assert (response.status, (await response.json())["error"]["param"]) == (400, "session.type")

    async def test_an_endpoint_that_is_not_ready_gets_503(self):
        async with gateway(ScriptedUpstream(ready=False), ready=False) as running:
            headers = {"Content-Type": "application/sdp"}
            async with running.client.post(running.url(CALLS), data=b"v=0", headers=headers) as response:
                assert response.status == 503


async def test_offers_that_never_connect_are_cleaned_up(monkeypatch):
    monkeypatch.setattr("vivavoce.webrtc.leg.CONNECT_SECONDS", 0.1)
    async with gateway(max_sessions=64) as running:
        for _ in range(20):
            leg = Leg(lambda: None, lambda _: None, lambda _: None)
            offer = await leg.offer()
            await leg.close()
            headers = {"Content-Type": "application/sdp"}
            async with running.client.post(running.url(CALLS), data=offer, headers=headers) as response:
                assert response.status == 201
        for session in running.upstream.sessions:
            assert (await session.closed)[0] == 1006
        async with asyncio.timeout(20):
            while len(running.sessions):  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)


def test_reads_ice_servers():
    assert ice_servers(["stun:stun.example:3478", "turn:ada:s:e@cret@turn.example:3478"]) == [
        IceServer("stun:stun.example:3478"),
        IceServer("turn:turn.example:3478", "ada", "s:e@cret"),
    ]
