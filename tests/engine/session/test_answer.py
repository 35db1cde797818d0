import base64
import random

import msgspec
import numpy as np
import pytest

from tests.engine.session.driver import OFFICIAL, types
from vivavoce.engine.models.protocols import Finished, Prompt
from vivavoce.engine.session.answer import Answer
from vivavoce.engine.session.conversation import Conversation, Entry
from vivavoce.engine.session.effects import Send
from vivavoce.engine.session.generation import Generation, Plan
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.engine.session.output import DELTA_SAMPLES, Destination
from vivavoce.engine.session.wanted import Wanted
from vivavoce.protocol.codec import encode
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.session import AudioPcm


class Making:
    """An answer with a generation of its own; `events` returns what it sent since the last time."""

    def __init__(self, modality="audio", **settings):
        self.out = Outgoing(Ids(random.Random(7)))
        self.conversation = Conversation()
        usual = {"max_output_tokens": "inf", "metadata": None, "out_of_band": False}
        wanted = Wanted(
            modality=modality,
            voice="marin",
            speed=1.0,
            audio_format=AudioPcm(),
            instructions="",
            functions=(),
            tool_choice="auto",
            must_call=None,
            parallel_calls=True,
            **(usual | settings),
        )
        conversation = None if wanted.out_of_band else self.conversation
        destination = Destination("resp_1", self.out, conversation)
        self.answer = Answer(wanted, destination, "conv_1" if conversation is not None else None)
        plan = Plan(Prompt(()), spoken=modality == "audio", voice="marin", speed=1.0, max_tokens=100)
        self.generation = self.answer.generation = Generation(1, plan, self.out)
        self.out.take()

    def events(self):
        sent = [encode(effect.event) for effect in self.out.take() if isinstance(effect, Send)]
        for raw in sent:
            OFFICIAL.validate_json(raw, strict=True)
        return [msgspec.json.decode(raw) for raw in sent]

    @property
    def entry(self):
        return list(self.conversation)[-1]

    def call(self, *pieces):
        for piece in pieces:
            self.generation.called(piece)
        self.answer.flow()
        return self.events()

    def write(self, text):
        self.generation.wrote(text)
        self.answer.flow()
        return self.events()

    def speak(self, samples, clause=0):
        self.generation.spoke(clause, np.arange(samples, dtype=np.int16))
        self.answer.flow()
        return self.events()

    def finish(self, *how, **why):
        self.answer.finish(*how, **why)
        return self.events()


def test_says_what_it_will_be():
    making = Making(metadata={"a": "b"}, max_output_tokens=5)
    making.answer.begin()
    (created,) = making.events()
    response = created["response"]
    assert response["audio"] == {
        "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "marin"}
    }
    assert {name: response[name] for name in ("id", "status", "output", "conversation_id", "usage")} == {
        "id": "resp_1",
        "status": "in_progress",
        "output": [],
        "conversation_id": "conv_1",
        "usage": None,
    }
    assert (response["metadata"], response["max_output_tokens"]) == ({"a": "b"}, 5)


def test_without_anything_new_nothing_is_sent():
    making = Making()
    making.answer.flow()
    assert making.events() == []
    assert len(making.conversation) == 0


def test_the_item_comes_with_the_first_piece_and_behind_the_last():
    making = Making("text")
    making.conversation.insert(Entry("item_0", "message", role="user"))
    opening = making.write("Hi")
    assert types(opening) == [
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
    ]
    assert opening[1]["previous_item_id"] == "item_0"
    assert opening[0]["item"]["content"] == []
    assert types(making.write(" there.")) == ["response.output_text.delta"]
    assert making.entry.text == "Hi there."


def test_speech_is_cut_into_deltas():
    making = Making()
    making.write("Hello there. ")
    deltas = making.speak(2 * DELTA_SAMPLES + 1)
    assert [event["type"] for event in deltas] == ["response.output_audio.delta"] * 3
    sound = [base64.b64decode(event["delta"]) for event in deltas]
    assert [len(pcm) // 2 for pcm in sound] == [DELTA_SAMPLES, DELTA_SAMPLES, 1]
    assert np.frombuffer(b"".join(sound), "<i2").tolist() == list(range(2 * DELTA_SAMPLES + 1))
    assert {(e["response_id"], e["output_index"], e["content_index"]) for e in deltas} == {("resp_1", 0, 0)}


def test_knows_which_audio_speaks_which_words():
    making = Making()
    making.write("Hello there. How are you? ")
    making.speak(100)
    making.speak(50)
    making.speak(30, clause=1)
    (part,) = making.entry.parts
    assert [(c.text, c.start, c.end) for c in part.clauses] == [
        ("Hello there. ", 0, 150),
        ("How are you? ", 150, 180),
    ]
    assert len(part.pcm()) == part.samples == 180


def test_completed_without_a_word_it_has_its_item():
    making = Making()
    making.generation.ended(Finished("stop", 40, 0))
    done = making.finish("completed")[-2]["response"]
    assert done["output"][0]["content"] == [{"type": "output_audio", "transcript": ""}]
    assert done["usage"]["total_tokens"] == 40


@pytest.mark.parametrize(
    ("how", "details"),
    [
        (("cancelled", "turn_detected"), {"type": "cancelled", "reason": "turn_detected"}),
        (("incomplete", "max_output_tokens"), {"type": "incomplete", "reason": "max_output_tokens"}),
        (
            ("failed", None, "no memory"),
            {
                "type": "failed",
                "error": {"type": "server_error", "code": "model_error", "message": "no memory"},
            },
        ),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_an_end_before_the_end_says_why(how, details, begun):
    making = Making()
    if begun:
        making.write("Hello there. ")
        making.speak(2400)
    response = making.finish(*how)[-2]["response"]
    assert (response["status"], response["status_details"]) == (how[0], details)
    assert [item["status"] for item in response["output"]] == ["incomplete"] * begun
    assert len(making.conversation) == begun
    assert response["usage"]["output_token_details"]["audio_tokens"] == 2 * begun


def test_closing_repeats_the_whole_text():
    making = Making()
    making.write("Hello ")
    making.write("there.")
    closing = making.finish("completed")
    assert types(closing) == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert closing[1]["transcript"] == closing[2]["part"]["transcript"] == "Hello there."
    assert closing[3]["item"] == closing[4]["item"] == closing[5]["response"]["output"][0]
