import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import ScriptFailed
from vivavoce.testing.matching import difference, fill, ref


def even(value):
    return value % 2 == 0


class TestDifference:
    @pytest.mark.parametrize(
        ("expected", "got"),
        [
            ({}, {"more": 1}),
            ({"a": {"b": [1, {"c": None}]}}, {"a": {"b": [1, {"c": None, "d": 2}], "e": 3}}),
            ({"a": ...}, {"a": [1, 2]}),
            ({"a": re.compile("^b+")}, {"a": "bbc"}),
            ({"a": even}, {"a": 4}),
            ({"a": str}, {"a": ""}),
            ((1, 2), [1, 2]),
            (1, 1.0),
        ],
    )
    def test_there_is_none(self, expected, got):
        assert difference(expected, got, {}) is None

    @pytest.mark.parametrize(
        ("expected", "got", "said"),
        [
            ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b: expected 1, got 2"),
            ({"a": {"b": 1}}, {"a": {}}, "a.b: expected 1, but it is absent"),
            ({"a": {"b": 1}}, {"a": "b"}, 'a: expected an object, got "b"'),
            ({"a": [1]}, {"a": [1, 2]}, "a: expected a list of 1, got [1,2]"),
            ({"a": [1]}, {"a": 1}, "a: expected a list, got 1"),
            ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "a[1].b: expected 2, got 3"),
            ({"a": True}, {"a": 1}, "a: expected true, got 1"),
            ({"a": None}, {"a": 0}, "a: expected null, got 0"),
            ({"a": re.compile("^b")}, {"a": "ab"}, "a: expected text that matches '^b', got \"ab\""),
            ({"a": re.compile("1")}, {"a": 1}, "a: expected text that matches '1', got 1"),
            ({"a": even}, {"a": 3}, "a: expected what even accepts, got 3"),
            ({"a": int}, {"a": "3"}, 'a: expected a value of type int, got "3"'),
            ({"a": {"b": even}}, {"a": {}}, "a.b: expected something, but it is absent"),
            ({"a": "x"}, {"a": "y" * 500}, f'a: expected "x", got "{"y" * 199}…'),
        ],
    )
    def test_is_told_with_what_was_expected_and_what_came(self, expected, got, said):
        assert difference(expected, got, {}) == said

    def test_a_reference_is_what_came_first(self):
        names = {}
        assert difference({"id": ref("x")}, {"id": "item_1"}, names) is None
        assert difference([ref("x"), ref("y")], ["item_1", "item_2"], names) is None
        assert difference({"id": ref("x")}, {"id": "item_2"}, names) == 'id: expected "item_1", got "item_2"'
        assert difference({"id": ref("z")}, {}, names) == "id: expected ref('z'), but it is absent"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON), st.dictionaries(st.text(), JSON))
def test_whatever_came_is_as_expected_where_it_is_the_same_or_more(event, more):
    assert difference(event, event, {}) is None
    assert difference(event, more | event, {}) is None
    assert fill(event, {}) == event


class TestFilling:
    def test_references_become_what_they_stand_for(self):
        event = {"a": [ref("x"), {"b": ref("x")}], "c": 1}
        assert fill(event, {"x": "item_1"}) == {"a": ["item_1", {"b": "item_1"}], "c": 1}

    def test_one_that_stands_for_nothing_is_a_failure(self):
        with pytest.raises(ScriptFailed, match=r"ref\('x'\)"):
            fill([ref("x")], {})
