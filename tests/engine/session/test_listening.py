import random

import numpy as np
import pytest

from vivavoce.engine.models.protocols import Transcription
from vivavoce.engine.session import inputs, listening
from vivavoce.engine.session.effects import CancelRecognition, Judge, Listen, Recognise, Send
from vivavoce.engine.session.listening import (
    LONGEST_TURN_S,
    SEMANTIC_COMPLETE_MS,
    SEMANTIC_SILENCE_MS,
    Listening,
)
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.errors import ProtocolError
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.session import AudioInput, AudioPcm, SemanticVad, ServerVad
from vivavoce.protocol.session import Transcription as Words

STEP_MS = 20
"""Shorter than Silero's, so that times come out even."""


class Ear:
    """A `Listening`, and its listener; every sample is its own number, so that none can be lost unseen."""

    def __init__(self, detection=None, transcription=None):
        self.out = Outgoing(Ids(random.Random(7)))
        self.listening = Listening(self.out, self, step_ms=STEP_MS)
        self.asked = []
        self.told = []
        self.entries = []
        self.position = 0
        self.configure(detection, transcription)

    def configure(self, detection, transcription=None, audio_format=None, **how):
        heard = AudioInput(
            turn_detection=detection, transcription=transcription, format=audio_format or AudioPcm()
        )
        self.listening.configure(heard, **how)
        self.asked += self.out.take()

    def speech_started(self):
        self.told.append("started")

    def turn_may_be_over(self, item_id, text):
        self.told.append(("may be over", text))

    def words_so_far(self, text):
        self.told.append(("so far", text))

    def turn_goes_on(self):
        self.told.append("goes on")

    def committed(self, entry, *, by_turn):
        self.told.append("turn" if by_turn else "commit")
        self.entries.append(entry)

    def transcribed(self, entry):
        self.told.append(("words", entry.text))

    def append(self, seconds):
        count = round(seconds * 24_000)
        self.listening.append(np.arange(self.position, self.position + count).astype("<i2").tobytes())
        self.position += count
        self.asked += self.out.take()

    def hear(self, *spans):
        """Append audio and answer for the voice detector; return how many ms until each span ended a turn."""
        stops = []
        for seconds, probability in spans:
            turns, stop = self.told.count("turn"), None
            self.append(seconds)
            number = self.of(Listen)[-1].listening
            for step in range(1, round(seconds * 1000 / STEP_MS) + 1):
                self.listening.voice_heard(inputs.VoiceHeard(number, [probability]))
                self.asked += self.out.take()
                if stop is None and self.told.count("turn") > turns:
                    stop = step * STEP_MS
            stops.append(stop)
        return stops

    def recognise(self, text, asked=None):
        asked = asked or self.of(Recognise)[-1]
        answer = inputs.Recognised(asked.utterance, len(asked.pcm), asked.final, Transcription(text))
        self.listening.recognised(answer)
        self.asked += self.out.take()

    def judge(self, probability):
        asked = self.of(Judge)[-1]
        self.listening.judged(inputs.Judged(asked.utterance, len(asked.pcm), probability))

    def fail(self):
        asked = self.of(Recognise)[-1]
        failed = inputs.RecognitionFailed(asked.utterance, len(asked.pcm), asked.final, "no memory")
        self.listening.recognition_failed(failed)
        self.asked += self.out.take()

    def of(self, kind):
        return [effect for effect in self.asked if isinstance(effect, kind)]

    def finals(self):
        return [work for work in self.of(Recognise) if work.final]

    def partials(self):
        return [work for work in self.of(Recognise) if not work.final]

    def types(self):
        return [effect.event.type for effect in self.of(Send)]


def samples(entry):
    return entry.parts[0].pcm().tolist()


def numbers(start, end):
    return np.arange(round(start * 24), round(end * 24)).astype(np.int16).tolist()


class TestTurn:
    def test_holds_the_padding_the_speech_and_the_silence(self):
        ear = Ear(ServerVad(prefix_padding_ms=100, silence_duration_ms=300))
        assert ear.hear((1.0, 0.0), (1.0, 0.9), (1.0, 0.0)) == [None, None, 300]
        (entry,) = ear.entries
        assert samples(entry) == numbers(900, 2300)
        started, stopped = [effect.event for effect in ear.of(Send)]
        assert (started.audio_start_ms, stopped.audio_end_ms) == (900, 2300)
        assert started.item_id == stopped.item_id == entry.id

    def test_padding_does_not_reach_before_the_beginning(self):
        ear = Ear(ServerVad(prefix_padding_ms=5000, silence_duration_ms=200))
        ear.hear((0.2, 0.0), (1.0, 0.9), (0.3, 0.0))
        assert samples(ear.entries[0]) == numbers(0, 1400)
        assert ear.of(Send)[0].event.audio_start_ms == 0

    def test_padding_does_not_reach_into_the_turn_before(self):
        ear = Ear(ServerVad(prefix_padding_ms=1000, silence_duration_ms=200))
        ear.hear((1.0, 0.9), (0.2, 0.0), (1.0, 0.9), (0.2, 0.0))
        assert [samples(entry) for entry in ear.entries] == [numbers(0, 1200), numbers(1200, 2400)]
        assert ear.of(Send)[2].event.audio_start_ms == 1200

    def test_obeys_the_threshold(self):
        ear = Ear(ServerVad(threshold=0.8))
        ear.hear((1.0, 0.7))
        assert ear.told == []
        ear.hear((1.0, 0.85))
        assert ear.told == ["started"]

    def test_between_turns_little_is_kept(self):
        ear = Ear(ServerVad(prefix_padding_ms=300))
        ear.hear(*[(0.1, 0.0)] * 100)
        kept = len(ear.listening._audio)
        assert 300 * 24 <= kept <= 700 * 24

    def test_that_does_not_end_is_ended(self, monkeypatch):
        assert LONGEST_TURN_S >= 60
        monkeypatch.setattr(listening, "LONGEST_TURN_S", 2)
        ear = Ear(ServerVad(prefix_padding_ms=0, silence_duration_ms=200))
        ear.hear(*[(0.1, 0.9)] * 30, (0.3, 0.0))
        assert [len(samples(entry)) / 24_000 for entry in ear.entries] == pytest.approx([2.1, 1.1], abs=0.05)
        assert [sample for entry in ear.entries for sample in samples(entry)] == numbers(0, 3200)
        assert ear.types() == ["input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"] * 2

    def test_words_known_before_its_end_are_not_asked_for_again(self):
        ear = Ear(ServerVad(silence_duration_ms=500))
        ear.hear((1.0, 0.9), (0.2, 0.0))
        ear.recognise("Hello.")
        ear.hear((0.4, 0.0))
        assert ear.told == ["started", ("may be over", "Hello."), "turn", ("words", "Hello.")]
        assert len(ear.finals()) == 1

    def test_words_of_a_pause_are_worth_nothing_when_it_goes_on(self):
        ear = Ear(ServerVad(silence_duration_ms=500))
        ear.hear((1.0, 0.9), (0.2, 0.0))
        pause = ear.of(Recognise)[-1]
        ear.hear((0.1, 0.9))
        ear.recognise("Turn on", pause)
        assert ear.told == ["started", "goes on"]
        ear.hear((0.1, 0.9), (0.5, 0.0))
        assert len(ear.finals()) == 2
        assert ear.entries[0].transcribing
        ear.recognise("Turn on the light.")
        assert ear.told[-1] == ("words", "Turn on the light.")

    def test_words_of_a_pause_that_come_behind_the_end_are_not_the_last(self):
        ear = Ear(ServerVad(silence_duration_ms=500))
        ear.hear((1.0, 0.9), (0.2, 0.0))
        pause = ear.of(Recognise)[-1]
        ear.hear((0.2, 0.9), (0.6, 0.0))
        ear.recognise("Turn on", pause)
        assert ear.entries[0].transcribing
        ear.recognise("Turn on the light.")
        assert ear.told[-1] == ("words", "Turn on the light.")

    def test_a_recogniser_that_failed_in_the_pause_is_asked_again(self):
        ear = Ear(ServerVad(silence_duration_ms=500))
        ear.hear((1.0, 0.9), (0.2, 0.0))
        ear.fail()
        ear.hear((0.4, 0.0))
        assert len(ear.finals()) == 2
        ear.recognise("Hello.")
        assert ear.told[-1] == ("words", "Hello.")

    def test_without_transcription_its_failure_is_an_error(self):
        """Who asked for no transcript waits for an answer, and there will be none."""
        ear = Ear(ServerVad(silence_duration_ms=200))
        ear.hear((1.0, 0.9), (0.3, 0.0))
        ear.fail()
        assert ear.told[-1] == ("words", "")
        assert not ear.entries[0].transcribing
        assert ear.types()[-1] == "error"


class TestSense:
    @pytest.mark.parametrize("eagerness", SEMANTIC_SILENCE_MS)
    def test_what_is_complete_waits_less(self, eagerness):
        waits = []
        for text, probability in (("Turn on the", 0.1), ("Turn on the light.", 0.9)):
            ear = Ear(SemanticVad(eagerness=eagerness))
            ear.hear((1.0, 0.9), (0.1, 0.0))
            ear.recognise(text)
            ear.judge(probability)
            (wait,) = ear.hear((3.0, 0.0))
            waits.append(100 + wait)
        expected = [SEMANTIC_SILENCE_MS[eagerness], SEMANTIC_COMPLETE_MS[eagerness]]
        assert all(0 <= wait - silence < STEP_MS for wait, silence in zip(waits, expected, strict=True))

    def test_is_patient_again_after_the_speaker_went_on(self):
        ear = Ear(SemanticVad())
        ear.hear((1.0, 0.9), (0.1, 0.0))
        ear.recognise("Turn on the light.")
        ear.judge(0.9)
        ear.hear((0.5, 0.9))
        assert ear.hear((3.0, 0.0)) == [SEMANTIC_SILENCE_MS["auto"]]

    def test_and_in_the_next_turn(self):
        ear = Ear(SemanticVad())
        ear.hear((1.0, 0.9), (0.1, 0.0))
        ear.recognise("Turn on the light.")
        ear.judge(0.9)
        ear.hear((1.0, 0.0))
        assert ear.hear((1.0, 0.9), (3.0, 0.0))[1] == SEMANTIC_SILENCE_MS["auto"]

    def test_the_more_eager_the_sooner(self):
        for table in (SEMANTIC_SILENCE_MS, SEMANTIC_COMPLETE_MS):
            assert table["low"] > table["medium"] == table["auto"] > table["high"]


class TestWords:
    def test_are_asked_for_in_the_language_and_with_the_hints(self):
        ear = Ear(ServerVad(), Words(model="whisper-1", language="de", prompt="Ada"))
        ear.hear((1.0, 0.9), (0.3, 0.0))
        assert {(work.language, work.prompt) for work in ear.of(Recognise)} == {("de", "Ada")}

    def test_empty_hints_are_none(self):
        ear = Ear(ServerVad(), Words(model="whisper-1", language="", prompt=""))
        ear.hear((1.0, 0.9), (0.3, 0.0))
        assert {(work.language, work.prompt) for work in ear.of(Recognise)} == {(None, None)}

    @pytest.mark.parametrize("transcription", [None, Words(model="whisper-1")])
    def test_partial_ones_are_told_as_far_as_they_agree(self, transcription):
        ear = Ear(ServerVad(), transcription)
        for text in ("What is the", "What is the time in", "What is the time in Rome"):
            ear.hear((0.5, 0.9))
            ear.recognise(text)
        assert ear.told == ["started", ("so far", "What is"), ("so far", "What is the time")]
        deltas = [effect.event.delta for effect in ear.of(Send) if hasattr(effect.event, "delta")]
        assert deltas == (["What is", " the time"] if transcription else [])

    def test_partial_ones_are_asked_for_one_at_a_time(self):
        ear = Ear(ServerVad(prefix_padding_ms=0))
        ear.hear((3.0, 0.9))
        (work,) = ear.partials()
        assert work.pcm.tolist() == numbers(0, len(work.pcm) / 24)
        ear.recognise("What is")
        ear.hear((0.1, 0.9))
        assert len(ear.partials()) == 2

    def test_partial_ones_do_not_keep_the_final_ones_waiting(self):
        ear = Ear(ServerVad(silence_duration_ms=1000))
        ear.hear((1.0, 0.9))
        ear.recognise("What is")
        ear.hear((0.9, 0.0))
        assert [work.final for work in ear.of(Recognise)] == [False, True]

    def test_partial_ones_go_on_after_one_failed(self):
        ear = Ear(ServerVad(), Words(model="whisper-1"))
        ear.hear((1.0, 0.9))
        ear.fail()
        ear.hear((1.0, 0.9))
        assert len(ear.partials()) == 2
        assert ear.types() == ["input_audio_buffer.speech_started"]

    def test_that_come_too_late_are_not_taken_for_the_next_turn(self):
        ear = Ear(ServerVad(silence_duration_ms=200), Words(model="whisper-1"))
        ear.hear((1.0, 0.9), (0.3, 0.0))
        first = ear.of(Recognise)[-1]
        ear.hear((0.2, 0.9))
        ear.recognise("First.", first)
        assert ear.told[-2:] == ["started", ("words", "First.")]
        ear.recognise("Again?", first)
        assert ear.told[-1] == ("words", "First.")

    def test_of_an_item_that_is_gone_are_not_waited_for(self):
        ear = Ear(None)
        ear.append(1.0)
        ear.listening.commit()
        ear.asked += ear.out.take()
        ear.listening.forget(ear.entries[0].id)
        assert ear.out.take() == [CancelRecognition(ear.of(Recognise)[-1].utterance)]
        ear.recognise("Hello.")
        assert ear.told == ["commit"]
        ear.listening.forget("item_of_nobody")
        assert ear.out.take() == []


class TestBuffer:
    def test_commit_in_the_middle_of_a_turn_ends_it(self):
        ear = Ear(ServerVad(prefix_padding_ms=0, silence_duration_ms=200))
        ear.hear((0.5, 0.0), (1.0, 0.9))
        item_id = ear.of(Send)[0].event.item_id
        ear.listening.commit()
        (entry,) = ear.entries
        assert entry.id == item_id
        assert samples(entry) == numbers(500, 1500)
        assert ear.told == ["started", "commit"]
        ear.asked += ear.out.take()
        ear.hear((1.0, 0.9), (0.3, 0.0))
        assert ear.told[2:] == ["started", "turn"]
        assert samples(ear.entries[1]) == numbers(1500, 2700)

    def test_who_goes_on_after_clear_begins_another_turn(self):
        ear = Ear(ServerVad(prefix_padding_ms=0, silence_duration_ms=200))
        ear.hear((1.0, 0.9))
        ear.listening.clear()
        ear.asked += ear.out.take()
        ear.hear((0.5, 0.9), (0.2, 0.0))
        assert ear.told == ["started", "goes on", "started", "turn"]
        assert samples(ear.entries[0]) == numbers(1000, 1700)

    @pytest.mark.parametrize("how", ["clear", "off", "other"])
    def test_a_turn_can_be_abandoned(self, how):
        ear = Ear(ServerVad(silence_duration_ms=500))
        ear.hear((1.0, 0.9), (0.2, 0.0))
        utterance = ear.of(Recognise)[-1].utterance
        if how == "clear":
            ear.listening.clear()
        else:
            ear.configure(None if how == "off" else SemanticVad())
        ear.asked += ear.out.take()
        assert CancelRecognition(utterance) in ear.asked
        assert ear.told[-1] == "goes on"
        ear.recognise("Hello.")
        assert ear.told == ["started", "goes on"]

    def test_the_same_detection_again_upsets_nothing(self):
        ear = Ear(ServerVad(silence_duration_ms=300))
        ear.hear((1.0, 0.9))
        ear.configure(ServerVad(silence_duration_ms=300), Words(model="whisper-1"))
        assert ear.hear((0.5, 0.0)) == [300]
        assert ear.told == ["started", "turn"]

    def test_other_numbers_hold_at_once_and_upset_no_turn(self):
        ear = Ear(ServerVad(silence_duration_ms=300))
        ear.hear((1.0, 0.7), (0.2, 0.0))
        ear.configure(ServerVad(silence_duration_ms=500, threshold=0.9, create_response=False))
        assert ear.hear((0.5, 0.0)) == [300]
        assert "goes on" not in ear.told
        ear.hear((1.0, 0.7))
        assert ear.told[-1] == "turn"
        ear.hear((1.0, 0.95))
        assert ear.told[-1] == "started"
        assert len({work.listening for work in ear.of(Listen)}) == 1

    def test_so_does_another_eagerness(self):
        ear = Ear(SemanticVad(eagerness="low"))
        ear.hear((1.0, 0.9), (0.2, 0.0))
        ear.configure(SemanticVad(eagerness="high"))
        assert ear.hear((2.0, 0.0)) == [SEMANTIC_SILENCE_MS["high"] - 200]

    def test_what_was_appended_before_detection_is_not_heard_twice(self):
        ear = Ear(None)
        ear.append(1.0)
        ear.configure(ServerVad(prefix_padding_ms=100, silence_duration_ms=200))
        ear.hear((1.0, 0.9), (0.3, 0.0))
        assert samples(ear.entries[0]) == numbers(900, 2200)

    def test_a_full_one_takes_nothing_and_asks_nothing(self, monkeypatch):
        monkeypatch.setattr(listening, "BUFFER_LIMIT_S", 1)
        ear = Ear(ServerVad())
        ear.append(1.0)
        with pytest.raises(ProtocolError, match="at most 1 seconds"):
            ear.append(0.1)
        assert len(ear.of(Listen)) == 1

    def test_too_little_is_not_committed(self):
        ear = Ear(None)
        ear.append(0.099)
        with pytest.raises(ProtocolError, match=r"only has 99\.00ms"):
            ear.listening.commit()
        assert ear.entries == []
