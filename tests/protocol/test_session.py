import json

import msgspec
from openai.types.realtime import realtime_audio_config_output

from tests.protocol.recorded import frames
from vivavoce.protocol import session
from vivavoce.protocol.session import AudioPcm, RealtimeSession, ServerVad, Session, TranscriptionSession


def test_the_defaults_are_those_of_a_recorded_session():
    (recorded, *_) = (event["session"] for event in frames("S") if event["type"] == "session.created")
    ours = RealtimeSession(
        id=recorded["id"], instructions=recorded["instructions"], expires_at=recorded["expires_at"]
    )
    assert json.loads(msgspec.json.encode(ours)) == recorded


def test_the_voices_are_the_official_ones():
    official = str(realtime_audio_config_output.RealtimeAudioConfigOutput.model_fields["voice"].annotation)
    assert all(f"'{voice}'" in official for voice in session.VOICES)
    assert official.count("'") == 2 * len(session.VOICES)


def test_sessions_share_no_defaults():
    one, other = RealtimeSession(id="a"), RealtimeSession(id="b")
    one.tools.append(session.Tool.__args__[0](name="f"))
    one.audio.input.turn_detection = None
    assert other.tools == []
    assert other.audio.input.turn_detection == ServerVad()


def test_reasoning_is_sent_only_when_it_was_set():
    assert b"reasoning" not in msgspec.json.encode(RealtimeSession(id="a"))
    assert b'"effort":"low"' in msgspec.json.encode(
        RealtimeSession(id="a", reasoning=session.Reasoning(effort="low"))
    )


def test_a_transcription_session_listens_and_has_no_voice():
    sent = json.loads(msgspec.json.encode(TranscriptionSession(id="sess_1")))
    assert (sent["type"], sent["object"]) == ("transcription", "realtime.transcription_session")
    assert sent["audio"].keys() == {"input"}
    assert msgspec.convert(sent, Session) == TranscriptionSession(id="sess_1")


def test_pcm_has_the_one_rate_unless_told():
    assert msgspec.convert({"type": "audio/pcm"}, AudioPcm).rate == session.PCM_RATE == 24_000
