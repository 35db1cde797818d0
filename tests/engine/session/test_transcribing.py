"""The words of utterances, and sessions that are about nothing else."""

import base64

import pytest

from tests.engine.session.driver import Driver, types, user
from vivavoce.engine.models.protocols import Transcription
from vivavoce.engine.session import effects, inputs

HEARD = "conversation.item.input_audio_transcription"


@pytest.fixture
def writing():
    """A transcription session with turn detection."""
    return Driver("transcription", audio={"input": {"transcription": {"model": "gpt-4o-transcribe"}}})


def pushing(**transcription):
    """Return a transcription session whose client commits."""
    transcription.setdefault("model", "gpt-realtime-whisper")
    return Driver("transcription", audio={"input": {"turn_detection": None, "transcription": transcription}})


def deltas(events):
    return [event["delta"] for event in events if event["type"] == f"{HEARD}.delta"]


class TestSession:
    def test_says_what_it_is(self, writing):
        created, updated = writing.events
        assert types(writing.events) == ["session.created", "session.updated"]
        for event in (created, updated):
            assert event["session"]["object"] == "realtime.transcription_session"
            assert event["session"]["type"] == "transcription"
        assert updated["session"]["id"] == created["session"]["id"]
        assert updated["session"]["audio"]["input"]["transcription"]["model"] == "gpt-4o-transcribe"

    def test_writes_down_a_turn(self, writing):
        for text in ("What is the", "What is the time in"):
            writing.hear((0.5, 0.9))
            writing.recognise(text)
        writing.hear((0.4, 0.0))
        writing.recognise("What is the time in Rome?")
        assert types(writing.events[2:]) == [
            "input_audio_buffer.speech_started",
            f"{HEARD}.delta",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            f"{HEARD}.delta",
            f"{HEARD}.completed",
        ]
        completed = writing.events[-1]
        assert "".join(deltas(writing.events)) == completed["transcript"] == "What is the time in Rome?"
        assert completed["usage"]["type"] == "tokens"

    def test_never_answers_nor_prepares_to(self, writing):
        writing.hear((1.0, 0.9), (0.1, 0.0))
        writing.recognise("What is the time?")
        writing.hear((0.4, 0.0))
        writing.client("conversation.item.create", item=user("Hello?"))
        (refused,) = writing.client("response.create", event_id="event_mine")
        assert refused["error"]["event_id"] == "event_mine"
        assert "has no responses" in refused["error"]["message"]
        assert not writing.all(effects.Generate)
        assert not writing.all(effects.Prepare)

    def test_tells_when_it_could_not_understand(self, writing):
        writing.hear((1.0, 0.9), (0.4, 0.0))
        work = writing.last(effects.Recognise)
        events = writing.tell(
            inputs.RecognitionFailed(work.utterance, len(work.pcm), work.final, "no memory")
        )
        assert types(events) == [f"{HEARD}.failed"]
        assert events[0]["error"]["message"] == "no memory"

    def test_can_be_committed_by_hand(self):
        session = pushing()
        session.append(1.0)
        committed = session.client("input_audio_buffer.commit")
        assert types(committed) == [
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
        ]
        (completed,) = [e for e in session.recognise("Hello there.") if e["type"] == f"{HEARD}.completed"]
        assert completed["item_id"] == committed[0]["item_id"]
        assert completed["usage"] == {"type": "duration", "seconds": 1.0}

    def test_writes_while_it_is_spoken_before_the_commit(self):
        session = pushing()
        for text in ("What is the", "What is the time in"):
            session.append(0.4)
            session.recognise(text)
        assert deltas(session.events) == ["What is"]
        told = session.events[-1]
        committed = session.client("input_audio_buffer.commit")[0]
        assert committed["item_id"] == told["item_id"]
        session.recognise("What is the time in Rome?")
        assert "".join(deltas(session.events)) == "What is the time in Rome?"
        session.append(0.4)
        assert session.last(effects.Recognise).pcm.size == 9600, "what was committed is not heard again"

    def test_that_is_cleared_writes_no_more_of_it(self):
        session = pushing()
        session.append(0.4)
        work = session.last(effects.Recognise)
        session.client("input_audio_buffer.clear")
        assert session.last(effects.CancelRecognition).utterance == work.utterance
        session.append(0.4)
        assert session.last(effects.Recognise).utterance != work.utterance

    def test_without_a_model_it_has_no_words_to_tell(self):
        session = Driver("transcription", audio={"input": {"turn_detection": None}})
        session.append(2.0)
        assert not session.all(effects.Recognise)
        session.client("input_audio_buffer.commit")
        assert session.recognise("Hello.") == []

    def test_a_conversation_waits_for_the_commit(self):
        driver = Driver(audio={"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}})
        driver.append(2.0)
        assert not driver.all(effects.Recognise)


class TestFailure:
    def test_of_a_hypothesis_that_comes_too_late_costs_nothing(self, writing):
        writing.hear((1.0, 0.9))
        partial = writing.last(effects.Recognise)
        writing.hear((0.4, 0.0))
        failed = inputs.RecognitionFailed(partial.utterance, len(partial.pcm), partial.final, "no memory")
        assert writing.tell(failed) == []
        assert writing.recognise("Hello.")[-1]["transcript"] == "Hello."

    @pytest.mark.parametrize("fails", [True, False])
    def test_of_what_is_in_no_conversation_is_not_told(self, fails):
        driver = Driver(audio={"input": {"transcription": {"model": "whisper-1"}}})
        audio = {"type": "input_audio", "audio": base64.b64encode(bytes(9600)).decode()}
        beside = {"type": "message", "role": "user", "content": [audio]}
        driver.client("response.create", response={"conversation": "none", "input": [beside]})
        work = driver.last(effects.Recognise)
        answer = (
            inputs.RecognitionFailed(work.utterance, len(work.pcm), True, "no memory")
            if fails
            else inputs.Recognised(work.utterance, len(work.pcm), True, Transcription("Hello."))
        )
        assert driver.tell(answer) == []
        assert driver.all(effects.Generate)


class TestKind:
    def test_a_fresh_session_can_become_the_other(self):
        driver = Driver()
        for kind in ("transcription", "realtime", "transcription"):
            (updated,) = driver.client("session.update", session={"type": kind})
            assert updated["type"] == "session.updated"
            assert updated["session"]["type"] == kind

    @pytest.mark.parametrize(
        ("kind", "other", "words"),
        [
            ("realtime", "transcription", "a transcription session update event to a realtime session"),
            ("transcription", "realtime", "a realtime session update event to a transcription session"),
        ],
    )
    @pytest.mark.parametrize("touch", ["audio", "item"])
    def test_one_that_was_used_can_not(self, kind, other, words, touch):
        driver = Driver(kind)
        if touch == "audio":
            driver.append(0.01)
        else:
            driver.client("conversation.item.create", item=user("Hi"))
        (refused,) = driver.client("session.update", session={"type": other})
        assert words in refused["error"]["message"]
        assert (refused["error"]["code"], refused["error"]["param"]) == ("invalid_parameter", "session.type")
        (updated,) = driver.client("session.update", session={"type": kind})
        assert updated["session"]["type"] == kind

    def test_a_refused_update_does_not_change_it_either(self):
        driver = Driver()
        audio = {"input": {"format": {"type": "audio/pcm", "rate": 8000}}}
        (refused,) = driver.client("session.update", session={"type": "transcription", "audio": audio})
        assert refused["type"] == "error"
        driver.client("conversation.item.create", item=user("Hi"))
        assert types(driver.client("response.create"))[0] == "response.created"


class TestUsage:
    @pytest.mark.parametrize(
        ("model", "usage"),
        [
            ("whisper-1", {"type": "duration", "seconds": 2.0}),
            (
                "gpt-4o-mini-transcribe",
                {
                    "type": "tokens",
                    "total_tokens": 29,
                    "input_tokens": 20,
                    "input_token_details": {"text_tokens": 0, "audio_tokens": 20},
                    "output_tokens": 9,
                },
            ),
        ],
    )
    def test_is_that_of_the_model_that_was_asked_for(self, model, usage):
        session = pushing(model=model)
        session.append(2.0)
        session.client("input_audio_buffer.commit")
        work = session.last(effects.Recognise)
        answer = inputs.Recognised(work.utterance, len(work.pcm), work.final, Transcription("Hi.", tokens=9))
        assert session.tell(answer)[-1]["usage"] == usage
