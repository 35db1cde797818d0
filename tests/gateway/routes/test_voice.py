import pytest

from tests.gateway.doubles import ScriptedUpstream, gateway
from vivavoce.gateway.auth.door import Admission
from vivavoce.gateway.auth.tokens import SIGNED
from vivavoce.gateway.client_secrets import Granted
from vivavoce.gateway.opening import Caller
from vivavoce.gateway.routes.voice import MAX_USER_ID
from vivavoce.protocol.session_params import RealtimeSessionParams

VOICE = "/api/v1/streaming/realtime"


def quiet(_):
    """Answer nothing: the voice API would have no words for it."""
    return []


def openings():
    """A list of the openings that a gateway made, and what fills it."""
    seen = []
    return seen, (seen.append,)


class TestSessions:
    async def test_a_user_gets_one_with_the_defaults(self):
        seen, stages = openings()
        async with (
            gateway(ScriptedUpstream(reply=quiet), stages=stages) as running,
            running.connect(f"{VOICE}/test_user") as ws,
        ):
            await ws.send_json({"type": "ping", "ping": {"timestamp": 1234567890.123}})
            assert await ws.receive_json() == {"type": "pong", "timestamp": 1234567890.123}
            (opening,) = seen
            assert (opening.caller.user, opening.dialect) == ("test_user", "voice")
            (session,) = running.upstream.sessions
            assert session.params.audio.output.voice == "alloy"

    async def test_what_it_says_and_hears_goes_through_the_dialect(self):
        async with (
            gateway(ScriptedUpstream(reply=quiet)) as running,
            running.connect(f"{VOICE}/test_user") as ws,
        ):
            text = {"type": "input_text", "text": "Hello"}
            await ws.send_json({"type": "conversation.item.input", "conversation_item_input": text})
            (session,) = running.upstream.sessions
            kinds = [event["type"] for event in await session.hears(2)]
            assert kinds == ["conversation.item.create", "response.create"]
            session.say({"type": "response.output_text.delta", "delta": "Hi."})
            assert (await ws.receive_json())["response"]["delta"] == {"content": "Hi."}
            await ws.send_str("{")
            assert (await ws.receive_json())["error"]["code"] == "invalid_json"
            await ws.send_json({"type": "session.update", "session_update": {"audio_frames": "binary"}})
            await ws.send_bytes(b"\0\0\0")
            assert (await session.hears(4))[-1]["audio"] == "AAAA"
            session.say({"type": "response.output_audio.delta", "delta": "AAAA", "item_id": "item_1"})
            assert await ws.receive_bytes() == b"\0\0\0"

    async def test_who_has_a_token_needs_no_name(self):
        seen, stages = openings()
        headers = {"Authorization": "Bearer anything"}
        async with (
            gateway(ScriptedUpstream(reply=quiet), stages=stages) as running,
            running.connect(VOICE, headers=headers) as ws,
        ):
            await ws.send_json({"type": "ping"})
            await ws.receive_json()
            assert seen[0].caller.user == "anyone"

    async def test_an_ephemeral_key_says_what_the_session_is(self):
        seen, stages = openings()
        async with gateway(ScriptedUpstream(reply=quiet), stages=stages) as running:
            params = RealtimeSessionParams(instructions="Be kind.")
            granted = Granted(params, Caller("eve", key="shop"))
            key = (await running.client_secrets.issue(granted, seconds=60)).value
            async with running.connect(VOICE, headers={"Authorization": f"Bearer {key}"}) as ws:
                await ws.send_json({"type": "ping"})
                await ws.receive_json()
            assert (seen[0].caller.user, seen[0].params) == ("eve", params)
            status, error, _ = await running.refused(f"{VOICE}/bob", Authorization=f"Bearer {key}")
            assert (status, error["code"]) == (403, "user_not_allowed")

    @pytest.mark.parametrize(
        ("key", "user"), [("shop", "shop/bob%20b"), (SIGNED, None)], ids=["a key", "a signed token"]
    )
    async def test_only_a_key_brings_users_along(self, monkeypatch, key, user):
        async def admit(_):
            return Admission(Caller("shop", key=key, admin=True))

        seen, stages = openings()
        async with gateway(ScriptedUpstream(reply=quiet), stages=stages) as running:
            monkeypatch.setattr(running.door, "admit", admit)
            if user is None:
                status, error, _ = await running.refused(f"{VOICE}/bob%20b")
                assert (status, error["code"]) == (403, "user_not_allowed")
                return
            async with running.connect(f"{VOICE}/bob%20b") as ws:
                await ws.send_json({"type": "ping"})
                await ws.receive_json()
        assert seen[0].caller == Caller(user, key=key)


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            (VOICE, 401, "missing_api_key"),
            (f"{VOICE}/{'x' * (MAX_USER_ID + 1)}", 400, "invalid_value"),
        ],
    )
    async def test_they_come_before_the_upgrade(self, path, status, code):
        async with gateway() as running:
            refused = await running.refused(path)
            assert (refused[0], refused[1]["code"]) == (status, code)

    async def test_a_wrong_token(self):
        async with gateway(local_access="token", token="sesame-open-sesame") as running:
            status, error, _ = await running.refused(VOICE, Authorization="Bearer wrong")
            assert (status, error["code"]) == (401, "token_required")

    async def test_no_upgrade(self):
        async with gateway() as running, running.get(f"{VOICE}/test_user") as response:
            assert response.status == 426

    async def test_no_endpoint_yet(self):
        async with gateway(ScriptedUpstream(ready=False), ready=False) as running:
            status, error, _ = await running.refused(f"{VOICE}/test_user")
            assert (status, error["code"]) == (503, "not_ready")


class TestStatus:
    async def test_it_tells_how_many_sessions_there_are(self):
        async with gateway() as running, running.connect(f"{VOICE}/test_user"):
            async with running.get(f"{VOICE}/status") as response:
                told = await response.json()
            assert response.status == 200
            assert (told["status"], told["active_connections"], told["capacity"]) == ("ready", 1, 16)

    async def test_health_is_a_word_and_a_status(self):
        async with gateway() as running, running.get(f"{VOICE}/health") as response:
            assert (response.status, await response.json()) == (200, {"status": "healthy"})

    async def test_health_before_there_is_an_endpoint(self):
        async with (
            gateway(ScriptedUpstream(ready=False), ready=False) as running,
            running.get(f"{VOICE}/health") as response,
        ):
            assert (response.status, await response.json()) == (503, {"status": "unhealthy"})
