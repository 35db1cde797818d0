from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.session.utterance import Agreement


def test_a_word_counts_when_two_hypotheses_agree():
    agreement = Agreement()
    assert agreement.add("what is the") == ""
    assert agreement.add("What is the time") == "What is"
    assert agreement.add("What is the time in Rome") == " the"
    assert agreement.finish("What is the time in Rome?") == " time in Rome?"
    assert agreement.text == "What is the time in Rome?"


def test_what_was_agreed_on_is_never_taken_back():
    agreement = Agreement()
    agreement.add("recognise speech today please")
    agreement.add("recognise speech today please now")
    before = agreement.text
    assert agreement.add("wreck a nice beach") == ""
    assert agreement.add("wreck a nice beach today") == ""
    assert agreement.text == before


def test_a_final_text_that_says_otherwise_adds_nothing():
    agreement = Agreement()
    agreement.add("ice cream is good")
    agreement.add("ice cream is good")
    assert agreement.finish("I scream.") == ""


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c."]), max_size=6).map(" ".join), max_size=12))
def test_the_text_only_grows(hypotheses):
    agreement = Agreement()
    for hypothesis in hypotheses:
        before = agreement.text
        delta = agreement.add(hypothesis)
        assert agreement.text == before + delta
