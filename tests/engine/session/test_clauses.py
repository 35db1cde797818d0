import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.session.clauses import LONGEST_CLAUSE_CHARS, ClauseSplitter


def split(*pieces):
    splitter = ClauseSplitter()
    return [clause for piece in pieces for clause in splitter.feed(piece)] + splitter.flush()


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Hello there. How are you?", ["Hello there. ", "How are you?"]),
        ("Of course, I can do that.", ["Of course, ", "I can do that."]),
        ("So, this is short.", ["So, this is short."]),
        ("It is 3.5 degrees.", ["It is 3.5 degrees."]),
        ("Ask Dr. Smith about it. He knows.", ["Ask Dr. Smith about it. ", "He knows."]),
        ("J. R. R. Tolkien wrote it.", ["J. R. R. Tolkien wrote it."]),
        ('He said "Stop!" and left. Then it rained.', ['He said "Stop!" ', "and left. ", "Then it rained."]),
        ("1. Bread\n2. Milk\n", ["1. Bread\n", "2. Milk\n"]),
        ("Wait… what?", ["Wait… ", "what?"]),
        ("   ", []),
        ("", []),
    ],
)
def test_where_clauses_end(text, clauses):
    assert split(text) == clauses
    assert split(*text) == clauses


def test_the_first_clause_is_ready_before_the_answer_is():
    splitter = ClauseSplitter()
    assert splitter.feed("The capital of France") == []
    assert splitter.feed(", as everybody knows, ") == ["The capital of France, "]


def test_later_commas_do_not_cut_short():
    assert split("Hello there. Red, green, and blue.") == ["Hello there. ", "Red, green, and blue."]


@given(st.lists(st.text(alphabet="ab .,!?\n\"'…3", max_size=20), max_size=30))
def test_joined_the_clauses_are_the_text(pieces):
    text = "".join(pieces)
    clauses = split(*pieces)
    assert text.startswith("".join(clauses))
    assert not text[len("".join(clauses)) :].strip()  # white space at the very end is not spoken


@given(st.text(alphabet="ab ", min_size=1000, max_size=3000))
def test_no_clause_is_endless(text):
    assert max(map(len, split(text)), default=0) <= LONGEST_CLAUSE_CHARS + 1
