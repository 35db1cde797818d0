from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.session.input_audio import samples
from vivavoce.engine.session.utterance import LONG_MS, PARTIAL_EVERY_MS, Agreement, Utterance


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


class TestPartials:
    def test_are_due_every_so_often(self):
        utterance = Utterance(1, "item_1", 0)
        assert not utterance.partial_due(samples(PARTIAL_EVERY_MS) - 1)
        assert utterance.partial_due(samples(PARTIAL_EVERY_MS))
        utterance.partial_at = samples(LONG_MS)
        assert utterance.partial_due(samples(LONG_MS + PARTIAL_EVERY_MS))

    def test_of_a_long_speech_cost_a_bounded_part_of_it(self):
        utterance = Utterance(1, "item_1", 0)
        seconds = 0.0
        for length in range(0, samples(300_000), samples(20)):
            if utterance.partial_due(length):
                utterance.partial_at = length
                seconds += length / 24_000
        assert seconds < 20 * 300, "without the bound it would be 500 times its duration"
