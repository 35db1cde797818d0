import time

import pytest
from openai.types.beta.realtime import SessionCreateResponse, TranscriptionSession

from tests.gateway.doubles import ScriptedUpstream, gateway
from vivavoce.gateway.routes.beta_sessions import SECONDS
from vivavoce.gateway.upstreams.describing import described

BETA = {"OpenAI-Beta": "realtime=v1"}
SESSIONS, TRANSCRIPTIONS = "/v1/realtime/sessions", "/v1/realtime/transcription_sessions"


class Describing(ScriptedUpstream):
    def describe(self, params):
        return described("sess_1", params)


def post(running, path, **kwargs):
    return running.client.post(running.url(path), **kwargs)


async def test_a_session_is_told_flat_with_a_key_that_opens_it():
    asked = {
        "model": "gpt-realtime",
        "voice": "verse",
        "modalities": ["text"],
        "temperature": 0.7,
        "client_secret": {"expires_after": {"anchor": "created_at", "seconds": 120}},
    }
    async with gateway(Describing()) as running:
        before = int(time.time())
        async with post(running, SESSIONS, json=asked) as response:
            assert (response.status, response.headers["Cache-Control"]) == (200, "no-store")
            body = await response.read()
        made = SessionCreateResponse.model_validate_json(body, strict=True)
        assert (made.voice, made.modalities, made.temperature) == ("verse", ["text"], 0.7)
        assert before + 120 <= made.client_secret.expires_at <= time.time() + 120
        protocols = [
            "realtime",
            f"openai-insecure-api-key.{made.client_secret.value}",
            "openai-beta.realtime-v1",
        ]
        async with running.connect("/v1/realtime", protocols=protocols) as ws:
            await ws.receive_json()
            (session,) = running.upstream.sessions
            assert session.params.audio.output.voice == "verse"


async def test_a_session_that_only_listens():
    asked = {"input_audio_format": "g711_ulaw", "input_audio_transcription": {"model": "whisper-1"}}
    async with gateway(Describing()) as running:
        before = int(time.time())
        async with post(running, TRANSCRIPTIONS, json=asked, headers=BETA) as response:
            made = TranscriptionSession.model_validate_json(await response.read(), strict=True)
        assert made.input_audio_format == "g711_ulaw"
        assert made.client_secret.expires_at >= before + SECONDS["transcription"]
        headers = {**BETA, "Authorization": f"Bearer {made.client_secret.value}"}
        async with running.connect("/v1/realtime", headers=headers) as ws:
            await ws.receive_json()
            assert running.upstream.sessions[0].params.type == "transcription"


async def test_nothing_has_to_be_asked_for():
    headers = {"Content-Type": "application/json"}
    async with gateway(Describing()) as running, post(running, SESSIONS, headers=headers) as response:
        assert (await response.json())["temperature"] == 0.8


@pytest.mark.parametrize(
    ("asked", "code", "param"),
    [
        ([], "invalid_type", None),
        ({"voice": 3}, "invalid_type", "voice"),
        ({"input_audio_format": "mp3"}, "invalid_value", "input_audio_format"),
        ({"temperature": 5}, "decimal_above_max_value", "temperature"),
        ({"unheard_of": 1}, "unknown_parameter", "unheard_of"),
        ({"client_secret": {"expires_after": {"seconds": 5}}}, "integer_below_min_value", None),
        ({"client_secret": {"expires_after": {"seconds": 9999}}}, "integer_above_max_value", None),
        ({"client_secret": {"expires_after": {"seconds": "1"}}}, "invalid_type", None),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_name_in_the_beta(asked, code, param):
    async with gateway(Describing()) as running, post(running, SESSIONS, json=asked) as response:
        error = (await response.json())["error"]
        assert (response.status, error["code"]) == (400, code)
        assert "client_secret" in str(asked) or error["param"] == param
        assert param is None or f"'{param}'" in error["message"] or code == "invalid_value"
