"""The page of the state machine is made of these: they are what they say, and nothing is left out."""

from typing import get_args

import pytest

from tests.engine.session.states import INPUTS, STATES, Input, state
from vivavoce.engine.session import inputs
from vivavoce.protocol.client_events import ClientEvent


@pytest.mark.parametrize(
    ("expected", "start"), [(state, start) for state, (_, start) in STATES.items()], ids=str
)
def test_a_state_is_what_it_says(expected, start):
    assert state(start()) == expected


def test_everything_that_can_happen_does():
    titles = {happens.title.split(":")[0].strip("`") for happens in INPUTS}
    events = {event.__struct_config__.tag for event in get_args(ClientEvent)}
    answers = {answer.__name__ for answer in (*get_args(inputs.ModelAnswer), inputs.Expired)}
    assert titles == events | answers


@pytest.mark.parametrize("happens", [i for i in INPUTS if i.answer is not None], ids=lambda i: i.title)
def test_an_answer_is_of_the_class_that_it_names(happens: Input):
    driver = next(iter(STATES.values()))[1]()
    assert type(happens.happened(driver)).__name__ == happens.title.split(":")[0]
