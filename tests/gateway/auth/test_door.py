import json
import os
import time

import pytest

from tests.gateway.auth.knocking import bearer, enter, mint
from tests.gateway.auth.signing import SECRET, jwks, sealed, signed
from tests.gateway.doubles import ScriptedUpstream, gateway
from vivavoce.errors import VivaVoceError
from vivavoce.gateway.app import create_app
from vivavoce.gateway.auth import neighbour
from vivavoce.gateway.auth.keys import make, write
from vivavoce.gateway.auth.known import WellKnownSecret
from vivavoce.gateway.opening import ANYONE, Caller
from vivavoce.gateway.passage import Stage
from vivavoce.gateway.settings import GatewaySettings


@pytest.fixture
def callers():
    """Whoever opened a session."""
    return []


@pytest.fixture
def remember(callers):
    def make_stage(opening):
        callers.append(opening.caller)
        return Stage()

    return (make_stage,)


@pytest.fixture
def keys_file(tmp_path):
    """Return a file with the keys of ada and of bob, and their values."""
    ada, first = make("laptop", user="ada", group="staff", admin=True, now=time.time())
    bob, second = make("phone", user="bob", now=time.time())
    write(tmp_path / "keys.json", [first, second])
    return tmp_path / "keys.json", ada, bob


class TestOnThisMachine:
    async def test_programs_of_the_same_user_need_nothing(self, remember, callers):
        async with gateway(local_access="own", stages=remember) as running:
            await enter(running)
            await enter(running, headers=bearer("anything"))
            await mint(running)
        assert callers == [ANYONE] * 2

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://{host}"},
            {"Sec_Fetch_Site": "same-origin"},
            {"X_Forwarded_For": "192.0.2.1"},
            {"Host": "voice.example"},
        ],
    )
    async def test_pages_and_what_a_proxy_brings_need_the_token(self, headers):
        async with gateway(local_access="own", token="right", allowed_hosts="voice.example") as running:
            headers = {name: value.format(host=running.host) for name, value in headers.items()}
            status, error, _ = await running.refused(**headers)
            assert (status, error["code"]) == (401, "token_required")
            assert "right" not in error["message"]
            status, error, _ = await running.refused("/v1/realtime?model=m&token=wrong", **headers)
            assert (status, error["code"]) == (401, "token_required")
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            await enter(running, "/v1/realtime?model=m&token=right", headers=given)
            await enter(running, headers={**given, **bearer("right")})
            await enter(running, headers=given, protocols=["realtime", "openai-insecure-api-key.right"])
            assert len(running.upstream.sessions) == 3

    @pytest.mark.skipif(not neighbour.TABLES[0].exists(), reason="this system does not tell")
    async def test_programs_of_others_need_the_token(self, monkeypatch):
        monkeypatch.setattr(os, "getuid", lambda: -1)
        async with gateway(local_access="own", token="right") as running:
            status, error, _ = await running.refused(Authorization="Bearer anything")
            assert (status, error["code"]) == (401, "token_required")
            await enter(running, headers=bearer("right"))
            await mint(running, status=401)

    async def test_everybody_may_need_it(self):
        async with gateway(local_access="token", token="right") as running:
            assert (await running.refused(Authorization="Bearer anything"))[0] == 401
            await enter(running, headers=bearer("right"))

    async def test_the_token_is_new_at_each_start_unless_it_is_set(self):
        async with gateway(local_access="own") as one, gateway(local_access="own") as other:
            assert one.door.token != other.door.token
        async with gateway(local_access="own", token="mine-alone") as running:
            assert running.door.token == "mine-alone"
        async with gateway(local_access="open") as running:
            assert running.door.token is None

    async def test_the_page_itself_and_health_are_for_everybody(self):
        async with gateway(local_access="token") as running:
            for path in ("/", "/health"):
                async with running.get(path) as response:
                    assert response.status == 200


class TestKeys:
    async def test_open_sessions_for_their_users(self, keys_file, remember, callers):
        path, ada, bob = keys_file
        async with gateway(keys_file=path, stages=remember) as running:
            await enter(running, headers=bearer(ada))
            await enter(running, protocols=["realtime", f"openai-insecure-api-key.{bob}"])
            await enter(running, f"/v1/realtime?model=m&token={ada}")
            assert running.door.token is None
        assert [caller.user for caller in callers] == ["ada", "bob", "ada"]
        assert callers[0] == Caller("ada", key="laptop", group="staff", admin=True)

    @pytest.mark.parametrize("local_access", ["own", "open"])
    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({}, "missing_api_key"),
            ({"Authorization": "Basic YTpi"}, "missing_api_key"),
            ({"Authorization": "Bearer "}, "missing_api_key"),
            ({"Authorization": "Bearer vv_wrong"}, "invalid_api_key"),
            ({"Authorization": "Bearer anything"}, "invalid_api_key"),
            ({"Authorization": "Bearer " + "x" * 4000}, "invalid_api_key"),
            ({"Sec_WebSocket_Protocol": "realtime, openai-insecure-api-key.null"}, "missing_api_key"),
        ],
    )
    async def test_without_one_nobody_gets_in(self, keys_file, headers, code, local_access):
        async with gateway(keys_file=keys_file[0], local_access=local_access, token="right") as running:
            status, error, got = await running.refused(**headers)
            assert (status, error["code"], got["WWW-Authenticate"]) == (401, code, "Bearer")
            assert (await running.refused("/v1/realtime?model=m&token=right"))[0] == 401
            await mint(
                running, headers={k: v for k, v in headers.items() if k == "Authorization"}, status=401
            )
            assert running.upstream.sessions == []

    async def test_one_that_is_removed_opens_nothing_more(self, keys_file):
        path, ada, bob = keys_file
        async with gateway(keys_file=path) as running:
            await enter(running, headers=bearer(ada))
            write(path, [])
            for key in (ada, bob):
                assert (await running.refused(**bearer(key)))[0] == 401

    def test_a_file_that_is_wrong_is_told_at_the_start(self, tmp_path):
        path = tmp_path / "keys.json"
        path.write_text("{")
        with pytest.raises(VivaVoceError, match="expected a file with keys"):
            create_app(GatewaySettings(keys_file=path), ScriptedUpstream())


class TestTokens:
    async def test_of_a_secret(self, remember, callers):
        async with gateway(jwt_secret=SECRET, stages=remember) as running:
            await enter(running, headers=bearer(sealed(exp=time.time() + 60, aud=None, group="staff")))
            assert (await running.refused(**bearer(sealed("x" * 32))))[1]["message"].endswith(
                "signature is wrong."
            )
            expired = sealed(exp=time.time() - 60, aud=None)
            status, error, _ = await running.refused(**bearer(expired))
            assert (status, error["code"], error["message"]) == (
                401,
                "invalid_api_key",
                "The token has expired.",
            )
        assert callers == [Caller("ada", key="jwt", group="staff")]

    async def test_of_public_keys_that_change(self, tmp_path, remember, callers, monkeypatch):
        monkeypatch.setattr("vivavoce.gateway.auth.jwks.PAUSE_SECONDS", 0)
        path = tmp_path / "jwks.json"
        path.write_text(json.dumps(jwks("one")))
        settings = {"jwt_keys": str(path), "jwt_issuer": "https://issuer.example", "jwt_audience": "vivavoce"}
        async with gateway(**settings, stages=remember) as running:
            await enter(running, headers=bearer(signed("one", exp=time.time() + 60)))
            assert (await running.refused(**bearer(signed("two", exp=time.time() + 60))))[0] == 401
        assert [caller.user for caller in callers] == ["ada"]

    async def test_keys_that_cannot_be_had(self, tmp_path):
        settings = {"jwt_issuer": "https://issuer.example", "jwt_audience": "vivavoce"}
        async with gateway(jwt_keys=str(tmp_path / "none"), **settings) as running:
            status, error, headers = await running.refused(**bearer(signed(exp=time.time() + 60)))
            assert (status, error["code"]) == (503, "authentication_unavailable")
            assert "Retry-After" in headers

    @pytest.mark.parametrize(
        ("settings", "says"),
        [
            ({"jwt_secret": "0123456789abcdef"}, "VIVAVOCE_JWT_SECRET: expected at least 32 bytes"),
            ({"jwt_keys": "keys.json"}, "VIVAVOCE_JWT_ISSUER and VIVAVOCE_JWT_AUDIENCE"),
            ({"jwt_keys": "http://a.example/", "jwt_issuer": "a", "jwt_audience": "b"}, "https://"),
        ],
    )
    def test_settings_that_would_let_in_the_wrong_ones(self, settings, says):
        with pytest.raises(VivaVoceError, match=says):
            create_app(GatewaySettings(**settings), ScriptedUpstream())


@pytest.mark.parametrize("name", ["token", "jwt_secret"])
def test_a_secret_that_everybody_knows_is_told_at_the_start(name):
    with pytest.raises(WellKnownSecret, match=f"VIVAVOCE_{name.upper()}"):
        create_app(GatewaySettings(**{name: "your_secret_here"}), ScriptedUpstream())


class TestEphemeral:
    async def test_is_its_makers_but_never_an_admins(self, keys_file, remember, callers):
        path, ada, _ = keys_file
        async with gateway(keys_file=path, stages=remember) as running:
            await enter(running, headers=bearer(await mint(running, ada)))
        assert callers == [Caller("ada", key="laptop", group="staff")]

    async def test_may_be_for_somebody_that_its_maker_brings_along(self, keys_file, remember, callers):
        path, ada, bob = keys_file
        async with gateway(keys_file=path, stages=remember) as running:
            for key, name in ((ada, "eve"), (bob, "eve"), (bob, "../ada"), (bob, "a/b")):
                headers = {"OpenAI-Safety-Identifier": name}
                await enter(running, headers=bearer(await mint(running, key, headers=headers)))
            for wrong in ("", "x" * 129):
                await mint(running, bob, headers={"OpenAI-Safety-Identifier": wrong}, status=400)
        assert [caller.user for caller in callers] == ["ada/eve", "bob/eve", "bob/..%2Fada", "bob/a%2Fb"]

    async def test_may_not_make_another(self, keys_file):
        path, ada, _ = keys_file
        async with gateway(keys_file=path) as running:
            value = await mint(running, ada)
            error = await mint(running, value, status=403)
            assert error["code"] == "ephemeral_key_not_allowed"
        async with gateway(local_access="own") as running:
            await mint(running, await mint(running), status=403)

    async def test_of_another_server_opens_nothing(self, keys_file):
        path, ada, _ = keys_file
        async with gateway(keys_file=path) as one, gateway(keys_file=path) as other:
            assert (await other.refused(**bearer(await mint(one, ada))))[0] == 401

    @pytest.mark.parametrize(
        ("query", "settings"), [("?single_use=true", {}), ("", {"client_secret_single_use": True})]
    )
    async def test_for_a_single_session_opens_one(self, query, settings):
        async with gateway(**settings) as running:
            value = await mint(running, query=query)
            await enter(running, headers=bearer(value))
            status, error, _ = await running.refused(**bearer(value))
            assert (status, error["code"]) == (401, "invalid_api_key")
            assert len(running.upstream.sessions) == 1

    async def test_is_not_used_up_by_what_is_refused_anyway(self):
        async with gateway(max_sessions=1) as running:
            value = await mint(running, query="?single_use=true")
            assert (await running.refused("/v1/realtime?intent=x", **bearer(value)))[0] == 400
            async with running.connect():
                assert (await running.refused(**bearer(value)))[0] == 503
            async with running.connect(headers=bearer(value)) as ws:
                assert (await ws.receive_json())["type"] == "session.created"

    async def test_single_use_is_true_or_false(self):
        async with gateway() as running:
            error = await mint(running, query="?single_use=1", status=400)
            assert (error["code"], error["param"]) == ("invalid_value", "single_use")
            value = await mint(running, query="?single_use=false")
            for _ in range(2):
                await enter(running, headers=bearer(value))
