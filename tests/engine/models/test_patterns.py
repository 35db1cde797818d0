import pytest

from vivavoce.engine.models.patterns import MAX_PATTERN, check_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z]+",
        r"^\d{2}:\d{2}$",
        "^(on|off)$",
        "^#[0-9a-fA-F]{6}$",
        "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        r"^light\.[a-z_]+$",
        r"^\+?[1-9]\d{1,14}$",
        r"(?:a|b)*c?",
        r"a\$",
        "",
    ],
)
def test_plain_patterns(pattern):
    check_pattern(pattern, "name")


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)b",
        "(?<!a)b",
        r"(a)\1",
        r"\bword",
        "(?i)a",
        "(?P<name>a)",
        "a+?",
        "a*+",
        "a{,3}",
        "a{2",
        "^a|b$",
        "a^b",
        "a$b",
        r"\p{L}",
        "(a{64}){64}",
        "((a{9}){9}){9}",
        "a{257}",
        "[a&&b]",
        "|*",
        "a)",
        "a**",
    ],
)
def test_others_are_refused(pattern):
    with pytest.raises(ValueError, match=r"^Expected a plain pattern at 'name\.pattern'"):
        check_pattern(pattern, "name")


@pytest.mark.parametrize("pattern", ["a" * (MAX_PATTERN + 1), 3, None, ["a"]])
def test_a_pattern_is_a_short_text(pattern):
    with pytest.raises(
        ValueError, match=r"^Expected a pattern of at most 200 characters at 'name\.pattern'\.$"
    ):
        check_pattern(pattern, "name")


@pytest.mark.parametrize("pattern", ["(", "(a|b", "[z-a]", "a{3,2}"])
def test_broken_ones_are_told_so(pattern):
    with pytest.raises(ValueError, match=r"^Expected a regular expression at 'name\.pattern': .+"):
        check_pattern(pattern, "name")
