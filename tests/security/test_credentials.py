"""No credential is ever written down: not in a log, not in an answer, not on a page, not in a file of ours."""

import json
import logging
import time
from contextlib import suppress

import aiohttp
import pytest

from tests.gateway.auth.knocking import SECRETS, bearer
from tests.gateway.auth.signing import jwks, sealed, signed
from tests.gateway.doubles import gateway
from vivavoce.gateway.auth.keys import make, write

CANARY = "canary-of-mine-0123456789abcdef-0123456789"


async def everywhere(running, key, texts):
    """Show a key in every place and to every route; note what is answered."""
    places = [
        ("", {"Authorization": f"Bearer {key}"}),
        ("", {"Authorization": f"bearer   {key} "}),
        ("", {"Authorization": f"Basic {key}"}),
        ("", {"Sec-WebSocket-Protocol": f"realtime, openai-insecure-api-key.{key}"}),
        ("", {"Sec-WebSocket-Protocol": f"openai-insecure-api-key.{key}"}),
        (f"token={key}", {}),
    ]
    for query, headers in places:
        for path in (
            "/v1/realtime?model=m",
            "/v1/realtime?intent=x",
            "/health?",
            "/nothing?",
            "/api/v1/sessions?",
        ):
            async with running.get(f"{path}&{query}", headers=headers) as response:
                texts.append(await response.text())
        async with running.client.post(
            running.url(f"{SECRETS}?{query}"), json={"x": 1}, headers=headers
        ) as response:
            texts.append(await response.text())
        if "realtime" in headers.get("Sec-WebSocket-Protocol", "realtime").split(","):
            with suppress(aiohttp.WSServerHandshakeError):
                async with running.connect(f"/v1/realtime?model=m&{query}", headers=headers) as ws:
                    texts.append(await ws.receive_str())


@pytest.mark.parametrize(
    "kind", ["local", "right", "wrong", "secret", "signed", "ephemeral", "unknown_ephemeral"]
)
async def test_no_credential_is_written_down(kind, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    value, kept = make("laptop", now=0)
    write(tmp_path / "keys.json", [kept])
    (tmp_path / "jwks.json").write_text(json.dumps(jwks("one")))
    later = time.time() + 600
    settings, key = {
        "local": ({"token": CANARY, "local_access": "token"}, CANARY),
        "right": ({"keys_file": tmp_path / "keys.json"}, value),
        "wrong": ({"keys_file": tmp_path / "keys.json"}, CANARY),
        "secret": ({"jwt_secret": CANARY}, sealed(CANARY, exp=later, aud=None)),
        "signed": ({
            "jwt_keys": str(tmp_path / "jwks.json"), "jwt_issuer": "https://issuer.example", "jwt_audience": "vivavoce",
        }, signed(exp=later)),
        "ephemeral": ({}, ""),
        "unknown_ephemeral": ({}, "ek_" + CANARY),
    }[kind]  # fmt: skip
    texts = []
    async with gateway(**settings) as running:
        if kind == "ephemeral":
            async with running.client.post(running.url(SECRETS), json={}) as response:
                key = (await response.json())["value"]
        assert key
        await everywhere(running, key, texts)
        if kind not in {"wrong", "unknown_ephemeral"}:
            assert running.upstream.sessions, "it opens sessions"
        for session in running.upstream.sessions:
            texts.extend(str(heard) for heard in session.heard)
    assert caplog.records
    out, err = capfd.readouterr()
    for secret in {key, CANARY, *(part for part in key.split(".") if len(part) > 20)}:
        for text in (*texts, caplog.text, out, err):
            assert secret not in text


async def test_a_hash_opens_nothing(tmp_path):
    _, kept = make("laptop", now=0)
    write(tmp_path / "keys.json", [kept])
    async with gateway(keys_file=tmp_path / "keys.json") as running:
        for stolen in (kept.digest, f"vv_{kept.digest}", f"sha256:{kept.digest}"):
            assert (await running.refused(**bearer(stolen)))[0] == 401
