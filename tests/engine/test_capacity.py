from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.capacity import SESSION_COST, UTILISATION, Costs, Duty, capacity, loads

MODELS = [field.name for field in fields(Costs) if field.name != "conversations"]
FREE = Costs(**dict.fromkeys(MODELS, 0.0))
DUTY = Duty(
    turn_every_s=10, speech_s=3, answer_s=5, pauses=2, read_tokens=30, written_tokens=50
)  # ten partial transcriptions

costs = st.builds(Costs, **{name: st.floats(0, 1) for name in MODELS})


@pytest.mark.parametrize(
    ("cost", "part", "share"),
    [
        ({"voice_activity": 0.01}, "voice_activity", 0.01),
        ({"partial": 0.1}, "recogniser", 0.1),
        ({"final": 0.2}, "recogniser", 0.04),
        ({"end_of_turn": 0.05}, "end_of_turn", 0.01),
        ({"read": 0.01}, "language_model", 0.06),
        ({"write": 0.02}, "language_model", 0.1),
        ({"synthesis": 0.01}, "synthesiser", 0.005),
    ],
)
def test_a_session_takes_of_each_model_what_its_turns_ask_for(cost, part, share):
    assert loads(replace(FREE, **cost), DUTY) == {
        **loads(FREE, DUTY),
        part: pytest.approx(share),
    }


def test_with_models_that_cost_nothing_the_event_loop_is_the_limit():
    assert capacity(FREE, 64) == int(UTILISATION / SESSION_COST)


def test_a_model_with_one_thread_gains_nothing_from_more_cores():
    hard_of_hearing = replace(FREE, final=1.0)
    assert capacity(hard_of_hearing, 2, DUTY) == capacity(hard_of_hearing, 64, DUTY) == 3


def test_of_many_cores_the_language_model_leaves_one():
    thoughtful = replace(FREE, write=0.018)
    assert [capacity(thoughtful, cores, DUTY) for cores in (1, 2, 3, 8)] == [7, 15, 15, 54]


def test_all_models_share_the_cores():
    busy = replace(FREE, final=1.0, write=0.04)  # each of them alone would be held three times
    assert capacity(busy, 2, DUTY) == 3
    assert capacity(busy, 1, DUTY) == 1


def test_a_language_model_is_not_made_to_forget():
    assert capacity(replace(FREE, conversations=4), 64) == 4
    assert capacity(replace(FREE, conversations=4, final=1.0), 64, DUTY) == 3


def test_one_session_is_always_held():
    assert capacity(replace(FREE, write=100.0), 2) == 1


@given(costs, st.integers(1, 64))
def test_more_cores_never_hold_fewer_sessions_and_dearer_models_never_more(given_costs, cores):
    held = capacity(given_costs, cores)
    assert held <= capacity(given_costs, cores + 1)
    dearer = replace(given_costs, final=given_costs.final + 0.5, write=given_costs.write + 0.1)
    assert capacity(dearer, cores) <= held


@given(costs, st.integers(1, 64))
def test_what_is_held_leaves_room(given_costs, cores):
    held = capacity(given_costs, cores)
    if held > 1:
        assert held * sum(loads(given_costs).values()) <= cores * UTILISATION
