import random

import numpy as np
import pytest

from vivavoce.engine.models.protocols import Finished, Message, Prompt
from vivavoce.engine.session.effects import EndGeneration, Generate, Synthesise
from vivavoce.engine.session.generation import Generation, Plan, Speech
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.protocol.ids import Ids

PROMPT = Prompt((Message("user", "Hello?"),))
STOP = Finished("stop", 40, 5)


@pytest.fixture
def out():
    return Outgoing(Ids(random.Random(7)))


def generation(out, *, spoken=True):
    return Generation(3, Plan(PROMPT, spoken=spoken, voice="marin", speed=1.2, max_tokens=100), out)


def pcm(*samples):
    return np.array(samples, np.int16)


def told(pieces):
    return [(p.text, *p.pcm.tolist()) if isinstance(p, Speech) else p for p in pieces]


def test_begins_by_itself(out):
    generation(out)
    assert out.take() == [Generate(3, PROMPT, 100)]


def test_clauses_go_to_the_synthesiser_as_they_are_complete(out):
    making = generation(out)
    out.take()
    making.wrote("Hello there. How")
    assert out.take() == [Synthesise(3, 0, "Hello there. ", "marin", 1.2)]
    making.wrote(" are you?")
    assert out.take() == []
    making.ended(STOP)
    assert out.take() == [Synthesise(3, 1, "How are you?", "marin", 1.2)]


def test_text_that_is_not_to_be_spoken_is_not(out):
    making = generation(out, spoken=False)
    out.take()
    making.wrote("Hello there. ")
    making.ended(STOP)
    assert out.take() == []
    assert making.complete


def test_pieces_come_in_order_and_once(out):
    making = generation(out)
    making.wrote("Hello there. ")
    making.spoke(0, pcm(1, 2))
    making.wrote("Bye.")
    making.spoke(0, pcm(3))
    assert told(making.take()) == ["Hello there. ", ("Hello there. ", 1, 2), "Bye.", ("", 3)]
    making.ended(STOP)
    making.spoke(1, pcm(4))
    assert told(making.take()) == [("Bye.", 4)]
    assert told(making.take()) == []


def test_nothing_makes_no_piece(out):
    making = generation(out)
    making.wrote("")
    making.wrote("Hello there. ")
    making.spoke(0, pcm())
    making.spoke(0, pcm(1))
    assert told(making.take()) == ["Hello there. ", ("Hello there. ", 1)]  # silence did not use the words up


def test_a_clause_without_a_sound_does_not_shift_the_words_of_the_next(out):
    making = generation(out)
    making.wrote("😀 Hi. What now? ")
    making.ended(STOP)
    making.clause_done()
    making.spoke(1, pcm(1))
    assert told(making.take())[-1] == ("What now? ", 1)


def test_is_complete_when_all_clauses_are_spoken(out):
    making = generation(out)
    making.wrote("Hello there. How are you?")
    making.clause_done()
    assert not making.complete  # the language model may go on
    making.ended(STOP)
    assert not making.complete  # the second clause is to be spoken still
    making.clause_done()
    assert making.complete
    assert making.finished is STOP


def test_an_answer_without_a_word_is_complete_at_once(out):
    making = generation(out)
    assert not making.complete
    making.ended(STOP)
    assert making.complete


@pytest.mark.parametrize("when", ["at once", "in the middle", "after its end", "twice"])
def test_can_be_dropped_at_any_time(out, when):
    making = generation(out)
    if when != "at once":
        making.wrote("Hello there. ")
    if when == "after its end":
        making.ended(STOP)
        making.clause_done()
    if when == "twice":
        making.drop()
    out.take()
    making.drop()
    assert out.take() == [EndGeneration(3)]


def test_equal_plans_are_equal():
    one, other = [Plan(Prompt((Message("user", "Hi"),)), True, "marin", 1.0, 5) for _ in range(2)]
    assert one == other
    assert one != Plan(Prompt((Message("user", "Ho"),)), True, "marin", 1.0, 5)
