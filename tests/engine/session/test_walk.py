"""Hypothesis walks the session's state machine: whatever happens, in whatever order, the promises hold.

What is promised stands in `witness`; here stands what may happen.
"""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.engine.session.driver import Driver, user
from vivavoce.engine.models.protocols import Finished, Transcription
from vivavoce.engine.session import effects, inputs
from vivavoce.engine.session.answering import OUT_OF_BAND_LIMIT

WORDS = st.sampled_from(["Hello. ", "Well, ", "I think", " so. ", "", "One two three, four. "])

DETECTIONS = [
    None,
    {"type": "server_vad"},
    {"type": "server_vad", "interrupt_response": False},
    {"type": "server_vad", "create_response": False},
    {"type": "server_vad", "idle_timeout_ms": 5000},
    {"type": "semantic_vad"},
]

FORMATS = ["audio/pcm", "audio/pcmu", "audio/pcma"]

RESPONSES = [
    {},
    {"output_modalities": ["text"]},
    {"conversation": "none"},
    {"conversation": "none", "input": [user("Aside")], "output_modalities": ["text"]},
    {"audio": {"output": {"format": {"type": "audio/pcmu"}}}},
]


class Walk(RuleBasedStateMachine):
    kind = "realtime"

    def __init__(self):
        super().__init__()
        self.driver = Driver(self.kind)
        self.witness = self.driver.witness
        self.finished: set[int] = set()
        self.calling: set[int] = set()
        self.spoken: set[tuple[int, int]] = set()

    def some_item(self, data):
        return data.draw(st.sampled_from(self.witness.items))

    # What a client may do.

    @rule(text=WORDS)
    def create_item(self, text):
        added, done = self.driver.client("conversation.item.create", item=user(text))
        assert added["item"] == done["item"]

    @precondition(lambda self: self.witness.items)
    @rule(data=st.data())
    def insert_item(self, data):
        previous = data.draw(st.sampled_from([*self.witness.items, "root"]))
        added, _ = self.driver.client("conversation.item.create", item=user("Hm"), previous_item_id=previous)
        assert added["previous_item_id"] == (None if previous == "root" else previous)

    @precondition(lambda self: self.witness.items)
    @rule(data=st.data())
    def retrieve(self, data):
        item = self.some_item(data)
        (retrieved,) = self.driver.client("conversation.item.retrieve", item_id=item)
        assert retrieved["item"]["id"] == item

    @precondition(lambda self: self.witness.items)
    @rule(data=st.data())
    def delete(self, data):
        item = self.some_item(data)
        self.driver.client("conversation.item.delete", item_id=item)
        assert item not in self.witness.items

    @precondition(lambda self: self.witness.sent_ms)
    @rule(data=st.data(), heard=st.floats(0, 1.2))
    def truncate(self, data, heard):
        item = data.draw(st.sampled_from(sorted(self.witness.sent_ms)))
        sent = self.witness.sent_ms[item]
        events = self.driver.client(
            "conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=int(sent * heard)
        )
        if item not in self.witness.items or int(sent * heard) > sent:
            assert events[-1]["type"] == "error"

    @rule(response=st.sampled_from(RESPONSES))
    def respond_somehow(self, response):
        self.respond(response)

    def respond(self, response):
        running = [reply.in_conversation for reply in self.witness.replies.values() if not reply.done]
        told = self.driver.client("response.create", response=response)[0]
        if response.get("conversation") != "none" and True in running:
            assert told["error"]["code"] == "conversation_already_has_active_response"
        elif response.get("conversation") == "none" and running.count(False) == OUT_OF_BAND_LIMIT:
            assert told["error"]["code"] == "rate_limit_exceeded"
        else:
            assert told["type"] == "response.created"

    @rule(count=st.integers(2, OUT_OF_BAND_LIMIT + 1))
    def respond_beside(self, count):
        for _ in range(count):
            self.respond({"conversation": "none"})

    @precondition(lambda self: all(reply.done for reply in self.witness.replies.values()))
    @rule(sentences=st.integers(1, 3))
    def answer(self, sentences):
        """Go a whole way at once: to an answer of which something was heard."""
        self.driver.client("response.create")
        answer = self.driver.machine._answering._answer
        number = answer.generation.number if answer and answer.generation else None
        if number is not None and number not in self.finished | self.calling:
            self.tell(inputs.TextGenerated(number, "One two three, four. " * sentences))
            self.tell(inputs.TextGenerated(number, "And"))
            self.speak_of(*next(work for work in self.unspoken() if work[0] == number))

    @rule()
    def cancel(self):
        self.driver.client("response.cancel")

    @precondition(lambda self: self.witness.replies)
    @rule(data=st.data())
    def cancel_by_name(self, data):
        name = data.draw(st.sampled_from(sorted(self.witness.replies)))
        was_done = self.witness.replies[name].done
        events = self.driver.client("response.cancel", response_id=name)
        assert self.witness.replies[name].done
        assert (events[0]["type"] == "error") is was_done

    @rule(detection=st.sampled_from(DETECTIONS), audio_format=st.sampled_from(FORMATS))
    def update(self, detection, audio_format):
        heard = {
            "turn_detection": detection,
            "transcription": {"model": "whisper-1"},
            "format": {"type": audio_format},
        }
        self.driver.client("session.update", session={"type": self.kind, "audio": {"input": heard}})

    @rule()
    def commit(self):
        self.driver.client("input_audio_buffer.commit")

    @rule()
    def clear(self):
        self.driver.client("input_audio_buffer.clear")

    # What a microphone and the models may do.

    @rule(seconds=st.sampled_from([0.1, 0.5, 6.0]), probability=st.sampled_from([0.0, 0.45, 0.9]))
    def hear(self, seconds, probability):
        self.driver.append(seconds)
        if listening := self.driver.all(effects.Listen):
            answer = inputs.VoiceHeard(listening[-1].listening, [probability] * round(seconds * 1000 / 32))
            self.driver.tell(answer)

    @precondition(lambda self: self.driver.machine._listening._detector)
    @rule(silence=st.sampled_from([0.064, 0.3, 1.3]), words=st.sampled_from(["", "What time is it?", None]))
    def speak_up(self, silence, words):
        """Go a whole way at once: to the end of a turn, or nearly; the words may come at once."""
        asked = len(self.driver.all(effects.Recognise))
        self.driver.hear((0.512, 0.9), (silence, 0.0))
        if words is not None and len(self.driver.all(effects.Recognise)) > asked:
            self.driver.recognise(words)

    @precondition(lambda self: self.driver.all(effects.Recognise))
    @rule(data=st.data(), text=WORDS, fails=st.booleans())
    def recognise(self, data, text, fails):
        work = data.draw(st.sampled_from(self.driver.all(effects.Recognise)[-3:]))
        if fails:
            self.driver.tell(inputs.RecognitionFailed(work.utterance, len(work.pcm), work.final, "failed"))
        else:
            heard = Transcription(text.strip())
            self.driver.tell(inputs.Recognised(work.utterance, len(work.pcm), work.final, heard))

    @precondition(lambda self: self.driver.all(effects.Judge))
    @rule(probability=st.sampled_from([0.1, 0.9]))
    def judge(self, probability):
        self.driver.judge(probability)

    def writing(self):
        """Return the newest generations that the language model has not finished, dropped ones among them."""
        return [number for number in self.witness.generations if number not in self.finished][-4:]

    def tell(self, answer):
        """Give an answer of a model: to a generation that was dropped, it must change nothing."""
        dropped, before = answer.generation in self.witness.ended, len(self.driver.asked)
        events = self.driver.tell(answer)
        assert not dropped or events == self.driver.asked[before:] == [], "what was dropped is gone"

    @precondition(writing)
    @rule(data=st.data(), text=WORDS)
    def write(self, data, text):
        number = data.draw(st.sampled_from(self.writing()))
        if number not in self.calling:  # a call is the last thing that a model writes
            self.tell(inputs.TextGenerated(number, text))

    @precondition(writing)
    @rule(data=st.data(), arguments=st.lists(st.sampled_from(['{"a": ', "1", "}"]), max_size=3))
    def call(self, data, arguments):
        number = data.draw(st.sampled_from(self.writing()))
        self.calling.add(number)
        self.tell(inputs.CallStarted(number, "look"))
        for piece in arguments:
            self.tell(inputs.ArgumentsWritten(number, piece))

    @precondition(writing)
    @rule(data=st.data(), reason=st.sampled_from(["stop", "length", "failure"]))
    def finish_writing(self, data, reason):
        number = data.draw(st.sampled_from(self.writing()))
        self.finished.add(number)
        if reason == "failure":
            self.tell(inputs.GenerationFailed(number, "failed"))
        else:
            self.tell(inputs.GenerationFinished(number, Finished(reason, 10, 5, 5)))

    def unspoken(self):
        """Return the next clause that is to be spoken of each generation, dropped ones among them."""
        clauses: dict[int, int] = {}
        for work in self.driver.all(effects.Synthesise):
            if (work.generation, work.clause) not in self.spoken:
                clauses.setdefault(work.generation, work.clause)
        return list(clauses.items())

    @precondition(unspoken)
    @rule(data=st.data(), samples=st.sampled_from([0, 1, 12_000]))
    def speak(self, data, samples):
        self.speak_of(*data.draw(st.sampled_from(self.unspoken())), samples)

    def speak_of(self, number, clause, samples=12_000):
        self.spoken.add((number, clause))
        self.tell(inputs.SpeechSynthesised(number, clause, np.ones(samples, np.int16)))
        self.tell(inputs.SpeechFinished(number, clause))

    @invariant()
    def nothing_runs_for_nobody(self):
        running = len(self.witness.generations) - len(self.witness.ended)
        wanted = sum(not reply.done for reply in self.witness.replies.values())
        on_trial = self.driver.machine._answering._speculation is not None
        assert running <= wanted + on_trial, "what runs is an answer, or one on trial"


class WriteDown(Walk):
    """The same in a session that only writes down what it hears."""

    kind = "transcription"
    respond_beside = answer = None

    def respond(self, response):
        (refused,) = self.driver.client("response.create", response=response)
        assert refused["type"] == "error"

    @invariant()
    def nobody_answers(self):
        assert not self.witness.replies
        assert not self.witness.generations


Walk.TestCase.settings = WriteDown.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestWalk = Walk.TestCase
TestWriteDown = WriteDown.TestCase
