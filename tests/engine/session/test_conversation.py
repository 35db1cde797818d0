import numpy as np
import pytest

from vivavoce.engine.session.conversation import AUDIO_KEPT_S, WIRE_RATE, Conversation, Entry, Part, Spoken
from vivavoce.errors import ProtocolError


def entry(item_id):
    return Entry(item_id, "message", role="user", parts=[Part("input_text", item_id)])


def answer(*clauses):
    part = Part("output_audio", "".join(clauses))
    for clause in clauses:
        start = part.samples
        part.add_audio(np.ones(WIRE_RATE, np.int16))
        part.clauses.append(Spoken(clause, start, part.samples))
    return Entry("answer", "message", role="assistant", parts=[part])


def test_order():
    talk = Conversation()
    for item_id, after in [("b", None), ("d", ""), ("a", "root"), ("c", "b")]:
        talk.insert(entry(item_id), after)
    assert [e.id for e in talk] == ["a", "b", "c", "d"]
    assert talk.last_id == "d"
    assert [talk.previous(e) for e in talk] == [None, "a", "b", "c"]
    talk.remove(talk.deletable("b"))
    assert talk.previous(talk.retrieve("c")) == "a"


def test_unknown_items():
    talk = Conversation()
    with pytest.raises(ProtocolError, match="previous item with id 'x'"):
        talk.insert(entry("a"), "x")
    assert len(talk) == 0
    with pytest.raises(ProtocolError, match="Error deleting item"):
        talk.deletable("x")
    with pytest.raises(ProtocolError, match="Error retrieving item"):
        talk.retrieve("x")


@pytest.mark.parametrize(
    ("heard_ms", "words"),
    [
        (0, ""),
        (500, "One"),
        (1000, "One two."),
        (1600, "One two. Three"),
        (2000, "One two. Three four."),
    ],
)
def test_truncate_keeps_the_words_that_were_heard(heard_ms, words):
    talk = Conversation()
    talk.insert(answer("One two. ", "Three four."))
    talk.truncate("answer", 0, heard_ms)
    part = talk.retrieve("answer").parts[0]
    assert part.text == words
    assert part.samples == len(part.pcm()) == heard_ms * 24
    talk.truncate("answer", 0, heard_ms // 2)
    assert words.startswith(part.text)


def test_old_audio_goes_and_its_words_stay():
    talk = Conversation()
    for number in range(3):
        part = Part("input_audio", f"words {number}")
        part.add_audio(np.zeros(AUDIO_KEPT_S * WIRE_RATE // 2, np.int16))
        talk.insert(Entry(str(number), "message", role="user", parts=[part]))
    talk.forget_old_audio()
    assert [bool(e.parts[0].audio) for e in talk] == [False, True, True]
    assert [e.text for e in talk] == ["words 0", "words 1", "words 2"]
