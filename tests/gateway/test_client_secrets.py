from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.gateway.client_secrets import ClientSecrets, Granted, is_ephemeral
from vivavoce.gateway.opening import Caller
from vivavoce.protocol.session_params import RealtimeSessionParams

BRIEF = Granted(RealtimeSessionParams(instructions="Be brief."), Caller("ada"))
PLAIN = Granted(RealtimeSessionParams())


def test_a_key_opens_what_it_was_made_for_again_and_again_until_it_expires():
    secrets = ClientSecrets(2)
    issued = secrets.issue(BRIEF, now=1000.7, seconds=10)
    assert issued.expires_at == 1010
    for now in (1000.7, 1000.7, 1009.9):
        assert secrets.find(issued.value, now=now) is BRIEF
    assert secrets.find(issued.value, now=1010) is None


def test_each_opens_its_own():
    secrets = ClientSecrets(2)
    one, other = (secrets.issue(session, now=0, seconds=10) for session in (BRIEF, PLAIN))
    assert one.value != other.value
    assert secrets.find(one.value, now=1) is BRIEF
    assert secrets.find(other.value, now=1) is PLAIN


def test_a_key_for_many_sessions_is_not_used_up():
    secrets = ClientSecrets(1)
    value = secrets.issue(BRIEF, now=0, seconds=10).value
    assert [secrets.spend(value, now=now) for now in (1, 2, 10)] == [True, True, False]


def test_a_key_for_a_single_session_opens_one():
    secrets = ClientSecrets(1)
    value = secrets.issue(replace(BRIEF, single_use=True), now=0, seconds=10).value
    assert secrets.find(value, now=1) == replace(BRIEF, single_use=True)
    assert [secrets.spend(value, now=1), secrets.spend(value, now=1)] == [True, False]
    assert secrets.find(value, now=1) is None
    assert len(secrets) == 0


@pytest.mark.parametrize("value", ["", "ek_", "ek_0123", "sk-x", "ek_\ud800"])
def test_nothing_else_opens_anything(value):
    secrets = ClientSecrets(2)
    secrets.issue(BRIEF, now=0, seconds=10)
    assert secrets.find(value, now=1) is None


def test_a_key_has_128_bits_and_is_not_kept():
    secrets = ClientSecrets(1)
    value = secrets.issue(BRIEF, now=0, seconds=10).value
    assert is_ephemeral(value)
    assert len(bytes.fromhex(value.removeprefix("ek_"))) * 8 == 128
    assert value not in repr(vars(secrets))


def test_there_is_room_when_the_first_expires():
    secrets = ClientSecrets(2)
    kept = secrets.issue(BRIEF, now=100, seconds=60)
    secrets.issue(BRIEF, now=100, seconds=20)
    assert secrets.room_in(100.5) == 20
    with pytest.raises(RuntimeError, match="2 keys already"):
        secrets.issue(BRIEF, now=119, seconds=20)
    assert secrets.room_in(120) == 0
    secrets.issue(BRIEF, now=120, seconds=20)
    assert secrets.find(kept.value, now=121) is BRIEF


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(10, 30)), max_size=40))
def test_there_are_never_more_than_the_limit(issues):
    secrets, now = ClientSecrets(3), 0.0
    for pause, seconds in issues:
        now += pause
        now += secrets.room_in(now)
        secrets.issue(BRIEF, now=now, seconds=seconds)
        assert len(secrets) <= 3


@pytest.mark.parametrize(
    ("key", "ephemeral"), [("ek_1", True), ("sk-ek_1", False), ("", False), (None, False)]
)
def test_ephemeral_keys_are_known_by_their_prefix(key, ephemeral):
    assert is_ephemeral(key) is ephemeral
