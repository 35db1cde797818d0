import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.models.call_reader import CallReader
from vivavoce.engine.models.calling import written
from vivavoce.engine.models.protocols import ArgumentsDelta, Call, CallStarted, TextDelta
from vivavoce.errors import ModelError

names = st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True)
keys = st.from_regex(r"[A-Za-z_]\w{0,5}", fullmatch=True) | st.text(
    'a@=(){}[]"\\, é🦜\n', min_size=1, max_size=6
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('@=(){}[]"\\, aé\n', max_size=8),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(keys, parts, max_size=3),
    max_leaves=5,
)  # fmt: skip
calls = st.tuples(names, st.dictionaries(keys, values, max_size=4))


def read(*pieces, **options):
    """Return what is said, and the calls with their arguments."""
    reader = CallReader(**options)
    news = [one for piece in pieces for one in reader.take(piece)]
    reader.finish()
    said, made = "", []
    for one in news:
        match one:
            case TextDelta(text=text):
                assert not made
                said += text
            case CallStarted(name=name):
                made.append([name, ""])
            case ArgumentsDelta(text=text):
                made[-1][1] += text
    assert all(not hasattr(one, "text") or one.text for one in news)
    return said, [(name, json.loads(arguments)) for name, arguments in made]


def cut(text, places):
    """Cut a text at some places."""
    at = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(at)]


@given(
    st.lists(calls, max_size=3),
    st.lists(st.integers(0, 10_000), max_size=12),
)
def test_calls_wherever_they_are_cut(made, places):
    lines = [written(Call("", name, json.dumps(arguments, ensure_ascii=False))) for name, arguments in made]
    answer = "\n".join(lines)
    assert read(*cut(answer, places)) == read(*answer) == ("", made)


@given(st.text().filter(lambda text: not text.startswith("@")), st.lists(st.integers(0, 10_000), max_size=12))
def test_words_wherever_they_are_cut(said, places):
    assert read(*cut(said, places)) == (said, [])


@given(calls)
def test_what_is_read_is_written_the_same_again(call):
    name, arguments = call
    line = written(Call("", name, json.dumps(arguments)))
    reader = CallReader()
    started, *rest = reader.take(line)
    assert started == CallStarted(name)
    assert written(Call("", name, "".join(delta.text for delta in rest))) == line


def test_words_are_told_at_once():
    reader = CallReader()
    assert reader.take("Sure") == [TextDelta("Sure")]
    assert reader.take(", in a ") == [TextDelta(", in a ")]
    assert reader.take("moment") == [TextDelta("moment")]


def test_arguments_are_told_as_they_are_written():
    reader = CallReader()
    assert reader.take("@dim") == []
    assert reader.take("(room=") == [CallStarted("dim"), ArgumentsDelta('{"room": ')]
    assert reader.take('"kit') == [ArgumentsDelta('"kit')]
    assert reader.take('chen", level=5') == [ArgumentsDelta('chen", "level": 5')]
    assert reader.take(")") == [ArgumentsDelta("}")]


def test_what_does_not_begin_with_a_call_has_none():
    assert read("Write to me @home(soon)") == ("Write to me @home(soon)", [])


def test_a_call_without_arguments():
    assert read("@ping()") == ("", [("ping", {})])


def test_nothing_at_all():
    assert read() == ("", [])


@pytest.mark.parametrize("answer", ["@", "@dim", "@dim(", '@dim(room="a)', "@dim(level=5"])
def test_an_answer_may_be_cut_short_but_does_not_end_in_a_call(answer):
    reader = CallReader()
    reader.take(answer)
    with pytest.raises(
        ModelError, match=r"^Expected words or calls, and the model wrote a call that is none\.$"
    ):
        reader.finish()


@pytest.mark.parametrize(
    "answer",
    [
        "@di m()",
        "@(a=1)",
        "@dim(a=)",
        "@dim(a=tomorrow)",
        '@dim("a=1)',
        "@dim(5)",
        "@dim() and words",
        "@dim(a b=1)x",
    ],
)
def test_a_call_that_is_none(answer):
    with pytest.raises(ModelError, match="a call that is none"):
        read(answer)


def test_words_where_there_must_be_a_call():
    assert read("@ping()\n@ping()", must_call=True) == ("", [("ping", {})] * 2)
    with pytest.raises(ModelError, match="a call that is none"):
        read("Well", must_call=True)
