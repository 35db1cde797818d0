"""Hypothesis walks the session's state machine: whatever happens, in whatever order, the promises hold."""

import random

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.engine.session.driver import Driver, user
from vivavoce.engine.models.protocols import Finished, Transcription
from vivavoce.engine.session import effects, inputs

WORDS = st.sampled_from(["Hello. ", "Well, ", "I think", " so. ", "", "One two three, four. "])


class Walk(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.driver = Driver()
        self.seen = 0
        self.created: list[str] = []
        self.done: list[str] = []
        self.items: list[str] = []
        self.open_items: set[str] = set()
        self.audio: dict[str, int] = {}
        self.ended: set[int] = set()
        self.asked_seen = 0
        self.random = random.Random(1)

    # What a client may do.

    @rule(text=WORDS)
    def create_item(self, text):
        self.driver.client("conversation.item.create", item=user(text))

    @rule()
    def respond(self):
        self.driver.client("response.create")

    @rule()
    def cancel(self):
        self.driver.client("response.cancel")

    @rule(data=st.data(), heard=st.floats(0, 1.2))
    def truncate(self, data, heard):
        if self.audio:
            item = data.draw(st.sampled_from(sorted(self.audio)))
            end = int(self.audio[item] * heard / 24)
            events = self.driver.client(
                "conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=end
            )
            if end > self.audio[item] / 24:
                assert any(event["type"] == "error" for event in events)

    @rule(data=st.data())
    def delete(self, data):
        if self.items:
            item = data.draw(st.sampled_from(self.items))
            self.driver.client("conversation.item.delete", item_id=item)

    @rule(
        detection=st.sampled_from(
            [None, {"type": "server_vad", "idle_timeout_ms": 5000}, {"type": "semantic_vad"}]
        ),
        spoken=st.sampled_from(["audio/pcm", "audio/pcmu", "audio/pcma"]),
    )
    def update(self, detection, spoken):
        heard = {
            "turn_detection": detection,
            "transcription": {"model": "whisper-1"},
            "format": {"type": spoken},
        }
        audio = {"input": heard}
        self.driver.client("session.update", session={"type": "realtime", "audio": audio})

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
        listening = [a for a in self.driver.asked if isinstance(a, effects.Listen)]
        if listening:
            answer = inputs.VoiceHeard(listening[-1].listening, [probability] * round(seconds * 1000 / 32))
            self.driver.tell(answer)

    @rule(data=st.data(), text=WORDS, fails=st.booleans())
    def recognise(self, data, text, fails):
        asked = self.driver.all(effects.Recognise)
        if not asked:
            return
        work = data.draw(st.sampled_from(asked[-3:]))
        if fails:
            self.driver.tell(inputs.RecognitionFailed(work.utterance, len(work.pcm), work.final, "failed"))
        else:
            heard = Transcription(text.strip())
            self.driver.tell(inputs.Recognised(work.utterance, len(work.pcm), work.final, heard))

    def generations(self):
        return [a.generation for a in self.driver.all(effects.Generate)][-3:]

    @precondition(lambda self: self.generations())
    @rule(data=st.data(), text=WORDS)
    def write(self, data, text):
        self.driver.tell(inputs.TextGenerated(data.draw(st.sampled_from(self.generations())), text))

    @precondition(lambda self: self.generations())
    @rule(data=st.data(), reason=st.sampled_from(["stop", "length", "failure"]))
    def finish_writing(self, data, reason):
        number = data.draw(st.sampled_from(self.generations()))
        if number in self.ended:
            return
        self.ended.add(number)
        if reason == "failure":
            self.driver.tell(inputs.GenerationFailed(number, "failed"))
        else:
            self.driver.tell(inputs.GenerationFinished(number, Finished(reason, 10, 5, 5)))

    @rule()
    def speak(self):
        number = (self.generations() or [None])[-1]
        spoken = self.__dict__.setdefault("spoken", set())
        for work in self.driver.all(effects.Synthesise):
            if work.generation == number and (number, work.clause) not in spoken:
                spoken.add((number, work.clause))
                pcm = np.ones(12_000, np.int16)
                self.driver.tell(inputs.SpeechSynthesised(number, work.clause, pcm))
                self.driver.tell(inputs.SpeechFinished(number, work.clause))

    # What must always be so.

    @invariant()
    def promises(self):
        for event in self.driver.events[self.seen :]:
            self.follow(event)
        self.seen = len(self.driver.events)
        assert len(self.created) - len(self.done) in (0, 1), "at most one response is active"
        assert not self.open_items or len(self.created) > len(self.done)

    def follow(self, event):
        match event["type"]:
            case "response.created":
                assert len(self.created) == len(self.done), "a response began while another was active"
                self.created.append(event["response"]["id"])
            case "response.done":
                assert event["response"]["id"] == self.created[-1], "the active response ends"
                assert event["response"]["id"] not in self.done, "a response ends once"
                self.done.append(event["response"]["id"])
                if event["response"]["status"] == "completed":
                    assert event["response"]["output"]
            case "conversation.item.added":
                previous = event["previous_item_id"]
                index = 0 if previous is None else self.items.index(previous) + 1
                self.items.insert(index, event["item"]["id"])
                if event["item"].get("status") == "in_progress":
                    self.open_items.add(event["item"]["id"])
            case "conversation.item.done":
                self.open_items.discard(event["item"]["id"])
            case "conversation.item.deleted":
                self.items.remove(event["item_id"])
                self.audio.pop(event["item_id"], None)
            case "conversation.item.truncated":
                self.audio[event["item_id"]] = event["audio_end_ms"] * 24
            case "response.output_audio.delta":
                assert event["response_id"] == self.created[-1]
                assert event["response_id"] not in self.done, "nothing comes after the end"
                samples = len(event["delta"]) * 3 // 4 // 2
                self.audio[event["item_id"]] = self.audio.get(event["item_id"], 0) + samples
            case "error":
                assert event["error"]["type"] == "invalid_request_error"
            case _ if "response_id" in event:
                assert event["response_id"] not in self.done, "nothing comes after the end"


Walk.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestWalk = Walk.TestCase
