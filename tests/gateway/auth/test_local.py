import pytest

from vivavoce.gateway.auth.local import asks_for_itself, is_right, new_token


def test_tokens_are_new_each_time():
    assert len({new_token() for _ in range(10)}) == 10
    assert len(new_token()) == 32


@pytest.mark.parametrize(
    ("presented", "right"),
    [("abc", True), ("abd", False), ("ab", False), ("", False), (None, False), ("\ud800", False)],
)
def test_only_the_token_is_right(presented, right):
    assert is_right(presented, "abc") is right


@pytest.mark.parametrize(
    ("host", "headers", "expected"),
    [
        ("127.0.0.1:8000", ["Host", "Authorization"], True),
        ("localhost", [], True),
        ("[::1]:8000", [], True),
        ("voice.home.example", [], False),
        (None, [], False),
        ("[", [], False),
        ("localhost", ["Origin"], False),
        ("localhost", ["sec-fetch-site"], False),
        ("localhost", ["sec-fetch-dest"], False),
        ("localhost", ["sec-fetch-mode", "user-agent"], True),
        ("localhost", ["X-Forwarded-For"], False),
        ("localhost", ["Via"], False),
    ],
)
def test_a_program_asks_for_itself(host, headers, expected):
    assert asks_for_itself(host, headers) is expected
