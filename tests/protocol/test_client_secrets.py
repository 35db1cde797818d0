import json

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from openai.types.realtime import ClientSecretCreateResponse, client_secret_create_params

from tests.protocol.strategies import json_of
from vivavoce.errors import ProtocolError
from vivavoce.protocol.client_secrets import (
    DEFAULT_SECONDS,
    KEY_PREFIX,
    ClientSecret,
    ClientSecretParams,
    ExpiresAfter,
)
from vivavoce.protocol.codec import decode_client_secret_params
from vivavoce.protocol.session import RealtimeSession, TranscriptionSession
from vivavoce.protocol.session_params import RealtimeSessionParams, TranscriptionSessionParams


@pytest.mark.parametrize(
    ("ours", "official"),
    [
        (ClientSecretParams, client_secret_create_params.ClientSecretCreateParams),
        (ExpiresAfter, client_secret_create_params.ExpiresAfter),
    ],
)
def test_the_fields_of_a_request_are_the_official_ones(ours, official):
    assert set(ours.__struct_fields__) == set(official.__annotations__)


@pytest.mark.parametrize("session", [RealtimeSession, TranscriptionSession])
def test_an_answer_is_what_the_official_package_expects(session):
    secret = ClientSecret(value=f"{KEY_PREFIX}1", expires_at=1, session=session(id="sess_1"))
    read = pydantic.TypeAdapter(ClientSecretCreateResponse).validate_json(
        msgspec.json.encode(secret), strict=True
    )
    assert (read.value, read.session.expires_at) == ("ek_1", 0)
    assert not read.session.model_extra


@pytest.mark.parametrize("nothing", ["{}", '{"session":null,"expires_after":null}', " { } "])
def test_nothing_need_be_asked(nothing):
    asked = decode_client_secret_params(nothing)
    assert not asked.session
    assert not asked.expires_after


def test_what_is_asked():
    asked = decode_client_secret_params('{"session":{"type":"realtime","model":"m"},"expires_after":{}}')
    assert asked.session == RealtimeSessionParams(model="m")
    assert asked.expires_after == ExpiresAfter(anchor="created_at", seconds=DEFAULT_SECONDS)
    assert decode_client_secret_params('{"session":{"type":"transcription"}}').session == (
        TranscriptionSessionParams()
    )


@settings(max_examples=50)
@given(json_of(ClientSecretParams))
def test_whatever_suits_the_types_is_read(sent):
    asked = decode_client_secret_params(json.dumps(sent))
    assert json.loads(msgspec.json.encode(asked)) == sent


@pytest.mark.parametrize(
    ("sent", "code", "param", "said"),
    [
        ("", "invalid_json", None, "JSON"),
        ("{", "invalid_json", None, "JSON"),
        (b"\xff", "invalid_json", None, "JSON"),
        ("[]", "invalid_type", None, "an object, but got an array"),
        ('{"sesion":{}}', "unknown_parameter", "sesion", "sesion"),
        ('{"session":{}}', "missing_required_parameter", "session.type", "session.type"),
        ('{"session":{"type":"opera"}}', "invalid_value", "session.type", "'realtime' and 'transcription'"),
        ('{"session":{"type":"realtime","tune":1}}', "unknown_parameter", "session.tune", "tune"),
        (
            '{"session":{"type":"realtime","audio":{"input":{"format":{"type":"audio/pcm","rate":8000}}}}}',
            "invalid_value",
            "session.audio.input.format.rate",
            "24000",
        ),
        (
            '{"session":{"type":"realtime","audio":{"input":{"noise_reduction":{"type":"near_field","x":1}}}}}',
            "unknown_parameter",
            "session.audio.input.noise_reduction.x",
            "noise_reduction.x",
        ),
        ('{"expires_after":{"anchor":"noon"}}', "invalid_value", "expires_after.anchor", "'created_at'"),
        ('{"expires_after":{"seconds":9}}', "integer_below_min_value", "expires_after.seconds", "10"),
        ('{"expires_after":{"seconds":7201}}', "integer_above_max_value", "expires_after.seconds", "7200"),
        ('{"expires_after":{"seconds":"60"}}', "invalid_type", "expires_after.seconds", "a string"),
        ('{"expires_after":60}', "invalid_type", "expires_after", "an integer"),
    ],
)
def test_what_is_refused(sent, code, param, said):
    with pytest.raises(ProtocolError) as refused:
        decode_client_secret_params(sent)
    assert (refused.value.code, refused.value.param) == (code, param)
    assert said in refused.value.message
