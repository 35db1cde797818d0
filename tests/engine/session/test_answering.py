import random
from dataclasses import replace

import numpy as np
import pytest

from vivavoce.engine.models.protocols import Finished
from vivavoce.engine.session import inputs
from vivavoce.engine.session.answering import ANSWER_TOKENS, Answering
from vivavoce.engine.session.conversation import Conversation, Entry, Part
from vivavoce.engine.session.effects import EndGeneration, Generate, Prepare, Send, Synthesise
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.engine.session.wanted import Wanted
from vivavoce.errors import ProtocolError
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.session import AudioPcm

WANTED = Wanted(
    modality="audio",
    voice="marin",
    speed=1.0,
    audio_format=AudioPcm(),
    max_output_tokens="inf",
    metadata=None,
    instructions="Be brief.",
    functions=(),
    tool_choice="auto",
    must_call=None,
    parallel_calls=True,
)
WRITTEN = replace(WANTED, modality="text")


class Stage:
    """An `Answering` with its conversation; `asked` returns what it asked for since the last time."""

    def __init__(self):
        self.out = Outgoing(Ids(random.Random(7)))
        self.conversation = Conversation()
        self.answering = Answering(
            self.out, self.conversation, WANTED, conversation_id="conv_1", budget_tokens=2000
        )

    def asked(self):
        return self.out.take()

    def sent(self):
        return [effect.event for effect in self.out.take() if isinstance(effect, Send)]

    def hear(self, text, *, transcribing=False):
        part = Part("input_audio", None if transcribing else text)
        entry = Entry(f"item_{len(self.conversation)}", "message", role="user", parts=[part])
        entry.transcribing = transcribing
        self.conversation.insert(entry)
        return entry

    def respond(self, wanted):
        self.answering.respond(wanted)
        self.answering.proceed()

    def generates(self):
        return [effect for effect in self.out.take() if isinstance(effect, Generate)]


@pytest.fixture
def stage():
    return Stage()


def done(sent):
    return next(event.response for event in sent if hasattr(event, "response") and event.response.usage)


class TestSpeculation:
    def test_is_adopted_when_it_is_what_is_wanted(self, stage):
        stage.answering.speculate("Hello.")
        (trial,) = stage.generates()
        stage.answering.text_generated(inputs.TextGenerated(trial.generation, "Hi there. "))
        assert stage.sent() == []
        stage.hear("Hello.")
        stage.respond(WANTED)
        sent = stage.asked()
        assert not any(isinstance(effect, Generate) for effect in sent)
        assert [effect.event.delta for effect in sent if hasattr(effect.event, "delta")] == ["Hi there. "]

    @pytest.mark.parametrize(
        ("wanted", "said"),
        [
            (WANTED, "Hello? Again."),
            (replace(WANTED, instructions="Rhyme."), "Hello."),
            (replace(WANTED, speed=1.5), "Hello."),
            (WRITTEN, "Hello."),
            (replace(WANTED, voice="alloy"), "Hello."),
            (replace(WANTED, max_output_tokens=9), "Hello."),
        ],
    )
    def test_is_dropped_when_something_else_is(self, stage, wanted, said):
        stage.answering.speculate("Hello.")
        (trial,) = stage.generates()
        stage.hear(said)
        stage.respond(wanted)
        asked = stage.asked()
        assert EndGeneration(trial.generation) in asked
        (begun,) = [effect for effect in asked if isinstance(effect, Generate)]
        assert begun.generation != trial.generation
        assert begun.prompt.messages[-1].text == said

    def test_that_failed_is_not_adopted(self, stage):
        stage.answering.speculate("Hello.")
        (trial,) = stage.generates()
        stage.answering.generation_failed(inputs.GenerationFailed(trial.generation, "no memory"))
        stage.hear("Hello.")
        stage.respond(WANTED)
        assert len(stage.generates()) == 1
        assert stage.answering.active

    def test_that_is_finished_is_given_at_once(self, stage):
        stage.answering.configure(WRITTEN)
        stage.answering.speculate("Hello.")
        (trial,) = stage.generates()
        stage.answering.text_generated(inputs.TextGenerated(trial.generation, "Hi."))
        stage.answering.generation_finished(
            inputs.GenerationFinished(trial.generation, Finished("stop", 9, 1))
        )
        stage.hear("Hello.")
        stage.respond(WRITTEN)
        assert done(stage.sent()).status == "completed"
        assert not stage.answering.active

    def test_the_same_twice_is_begun_once(self, stage):
        stage.answering.speculate("Hello.")
        stage.answering.speculate("Hello.")
        assert len(stage.generates()) == 1

    def test_another_takes_its_place(self, stage):
        stage.answering.speculate("Turn on the light")
        (first,) = stage.generates()
        stage.answering.speculate("Turn on the light, please.")
        asked = stage.asked()
        assert asked[0] == EndGeneration(first.generation)
        assert asked[1].prompt.messages[-1].text == "Turn on the light, please."

    def test_none_while_a_response_is_in_progress(self, stage):
        stage.respond(WANTED)
        stage.asked()
        stage.answering.speculate("Hello.")
        assert stage.asked() == []

    def test_dropping_none_does_nothing(self, stage):
        stage.answering.drop_speculation()
        assert stage.asked() == []


class TestWords:
    def test_all_must_be_known(self, stage):
        first, second = [stage.hear(text, transcribing=True) for text in ("One.", "Two.")]
        stage.respond(WANTED)
        assert stage.generates() == []
        for entry, text, begun in ((second, "Two.", 0), (first, "One.", 1)):
            entry.transcribing, entry.parts[0].text = False, text
            stage.answering.proceed()
            generates = stage.generates()
            assert len(generates) == begun
        said = " ".join(message.text for message in generates[0].prompt.messages)
        assert said.split() == ["Be", "brief.", "One.", "Two."]

    def test_known_again_nothing_is_begun_twice(self, stage):
        stage.respond(WANTED)
        assert len(stage.generates()) == 1
        stage.answering.proceed()
        assert stage.asked() == []

    def test_without_a_response_nothing_is_begun(self, stage):
        stage.answering.proceed()
        assert stage.asked() == []

    def test_a_response_that_still_waits_can_be_cancelled(self, stage):
        entry = stage.hear("", transcribing=True)
        stage.respond(WANTED)
        stage.answering.cancel("client_cancelled")
        entry.transcribing = False
        stage.answering.proceed()
        assert stage.generates() == []


class TestPreparing:
    def test_while_nobody_waits(self, stage):
        stage.hear("Hello.")
        stage.answering.prepare()
        (prepare,) = stage.asked()
        assert isinstance(prepare, Prepare)
        assert [message.text for message in prepare.prompt.messages] == ["Be brief.", "Hello."]

    def test_not_while_something_is_written(self, stage):
        stage.answering.speculate("Hello.")
        stage.asked()
        stage.answering.prepare()
        assert stage.asked() == []
        stage.respond(WANTED)
        stage.asked()
        stage.answering.prepare()
        assert stage.asked() == []

    def test_after_a_response_that_was_another_for_the_usual_one(self, stage):
        stage.respond(replace(WANTED, instructions="Rhyme."))
        stage.answering.cancel("client_cancelled")
        prepare = stage.asked()[-1]
        assert isinstance(prepare, Prepare)
        assert prepare.prompt.messages[0].text == "Be brief."


class TestResponse:
    @pytest.mark.parametrize(
        ("limit", "tokens"), [("inf", ANSWER_TOKENS), (5, 5), (4096, 4096), (10_000, 8 * ANSWER_TOKENS)]
    )
    def test_has_a_limit_in_any_case(self, stage, limit, tokens):
        stage.respond(replace(WANTED, max_output_tokens=limit))
        assert stage.generates()[0].max_tokens == tokens

    def test_is_cancelled_by_its_id(self, stage):
        stage.respond(WANTED)
        (created,) = stage.sent()
        with pytest.raises(ProtocolError) as refused:
            stage.answering.cancel("client_cancelled", "resp_other")
        assert refused.value.code == "response_cancel_not_active"
        assert stage.answering.active
        stage.answering.cancel("client_cancelled", created.response.id)
        assert done(stage.sent()).status == "cancelled"
        with pytest.raises(ProtocolError):
            stage.answering.cancel("client_cancelled", created.response.id)

    def test_ends_with_its_item_and_no_other(self, stage):
        question = stage.hear("Hello.")
        stage.respond(WANTED)
        (begun,) = stage.generates()
        stage.answering.forget(question)
        stage.answering.text_generated(inputs.TextGenerated(begun.generation, "Hi."))
        stage.answering.forget(question)
        assert stage.answering.active
        (answer,) = [entry for entry in stage.conversation if entry is not question]
        stage.answering.forget(answer)
        assert not stage.answering.active
        assert done(stage.sent()).status_details.reason == "client_cancelled"

    def test_keeps_apart_what_belongs_to_another(self, stage):
        stage.respond(WANTED)
        (old,) = stage.generates()
        stage.answering.cancel("client_cancelled")
        stage.respond(WANTED)
        stage.asked()
        number = old.generation
        stage.answering.text_generated(inputs.TextGenerated(number, "Stale. "))
        stage.answering.speech_synthesised(inputs.SpeechSynthesised(number, 0, np.ones(9, np.int16)))
        stage.answering.speech_finished(inputs.SpeechFinished(number, 0))
        stage.answering.generation_finished(inputs.GenerationFinished(number, Finished("stop", 9, 1)))
        stage.answering.generation_failed(inputs.GenerationFailed(number, "too late"))
        assert stage.asked() == []
        assert stage.answering.active

    def test_speaks_only_once_there_is_sound(self, stage):
        stage.respond(WANTED)
        (begun,) = stage.generates()
        stage.answering.text_generated(inputs.TextGenerated(begun.generation, "Hello there. "))
        (clause,) = [effect for effect in stage.asked() if isinstance(effect, Synthesise)]
        assert not stage.answering.spoke
        stage.answering.speech_synthesised(
            inputs.SpeechSynthesised(begun.generation, clause.clause, np.ones(9, np.int16))
        )
        assert stage.answering.spoke

    def test_in_writing_never_speaks(self, stage):
        stage.respond(WRITTEN)
        (begun,) = stage.generates()
        stage.answering.text_generated(inputs.TextGenerated(begun.generation, "Hello there. "))
        stage.answering.generation_finished(
            inputs.GenerationFinished(begun.generation, Finished("stop", 9, 1))
        )
        assert not any(isinstance(effect, Synthesise) for effect in stage.asked())
        assert not stage.answering.spoke


def test_a_prompt_tells_whether_the_conversation_goes_on_with_it():
    stage = Stage()
    stage.hear("Hello.")
    beside = [
        replace(WANTED, instructions="Be long."),
        replace(WANTED, out_of_band=True),
        replace(WANTED, context=()),
    ]
    for wanted, conversation in [(WANTED, "conv_1"), *((one, "") for one in beside)]:
        stage.respond(wanted)
        (prompt,) = [effect.prompt for effect in stage.asked() if isinstance(effect, Generate)]
        assert prompt.conversation == conversation
        if not wanted.out_of_band:
            stage.answering.cancel("client_cancelled")
    changed = replace(WANTED, instructions="Be kind.")
    stage.answering.configure(changed)
    (prepared,) = [effect.prompt for effect in stage.asked() if isinstance(effect, Prepare)][-1:]
    assert prepared.conversation == "conv_1"
    assert prepared.messages[0].text == "Be kind."
