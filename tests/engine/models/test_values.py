import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vivavoce.engine.models.values import MAX_NUMBER, anything, number, one_of, short, text

bounds = st.integers(-1000, 1000) | st.integers(-2000, 2000).map(lambda halves: halves / 2) | st.just(0.1)
limits = st.dictionaries(
    st.sampled_from(["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"]), bounds
)
steps = st.sampled_from([{}, {"multipleOf": 5}, {"multipleOf": 2}])


def within(value, schema):
    """Tell whether a number keeps to the limits of a schema, as the standard has them."""
    return (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
        and value % schema.get("multipleOf", 1) == 0
    )


class TestNumbers:
    @given(limits, steps)
    def test_the_narrow_limits_are_the_closest_that_fit(self, asked, step):
        schema = {**asked, **step}
        fitting = [value for value in range(-1005, 1006) if within(value, schema)]
        assume(fitting)
        kept = number(schema, "integer", "x")
        if {"minimum", "exclusiveMinimum"} & schema.keys():
            assert kept["minimum"] == fitting[0]
        if {"maximum", "exclusiveMaximum"} & schema.keys():
            assert kept["maximum"] == fitting[-1]
        assert all(isinstance(kept[name], int) for name in ("minimum", "maximum", "multipleOf"))

    @given(limits, steps)
    def test_refuses_limits_that_leave_none(self, asked, step):
        schema = {**asked, **step}
        assume(
            {"minimum", "exclusiveMinimum"} & schema.keys()
            and {"maximum", "exclusiveMaximum"} & schema.keys()
        )
        assume(not any(within(value, schema) for value in range(-1005, 1006)))
        with pytest.raises(ValueError, match=r"^Expected 'x' to leave numbers to choose from"):
            number(schema, "integer", "x")

    def test_have_six_digits_behind_the_point(self):
        assert number({}, "number", "x") == {
            "type": "number",
            "minimum": -MAX_NUMBER,
            "maximum": MAX_NUMBER,
            "multipleOf": 1e-6,
        }


def test_whole_numbers_are_integers_in_either_notation():
    assert one_of({"enum": [1, 2.0, 2.5, True, "3"], "type": "integer"}, "x") == {"enum": [1, 2.0]}


def test_a_constant_among_values():
    assert one_of({"enum": ["a", "b"], "const": "b"}, "x") == {"enum": ["b"]}


def test_texts_have_an_end():
    assert text({}, "x")["maxLength"] == text({"maxLength": 10**6}, "x")["maxLength"] == 400


def test_anything_has_an_end():
    *plain, free, listed = anything()["anyOf"]
    assert [part["type"] for part in plain] == ["string", "number", "boolean", "null"]
    assert listed["items"] == {"anyOf": plain}
    assert list(free["patternProperties"].values()) == [{"anyOf": plain}]


def test_what_is_quoted_is_short():
    assert short("a" * 100) == "a" * 60 + "…"
    assert short({"a": [None]}) == '{"a": [null]}'
