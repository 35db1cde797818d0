import pytest

from vivavoce.gateway.shared.sealing import seal, unseal

KEY, NAME = bytes(32), b"name"


def test_who_has_the_key_reads_it():
    assert unseal(KEY, seal(KEY, b"what was said", name=NAME), name=NAME) == b"what was said"


def test_it_looks_different_each_time_and_tells_nothing():
    first, second = (seal(KEY, b"what was said", name=NAME) for _ in range(2))
    assert first != second
    assert b"said" not in first


@pytest.mark.parametrize(
    ("key", "name", "change"),
    [
        (b"\1" * 32, NAME, lambda sealed: sealed),
        (KEY, b"another", lambda sealed: sealed),
        (KEY, NAME, lambda sealed: sealed[:-1]),
        (KEY, NAME, lambda sealed: sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:]),
        (KEY, NAME, lambda _: b""),
    ],
    ids=["another key", "another name", "cut", "changed", "nothing"],
)
def test_anything_else_is_nothing(key, name, change):
    assert unseal(key, change(seal(KEY, b"what was said", name=NAME)), name=name) is None
