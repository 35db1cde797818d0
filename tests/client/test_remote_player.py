import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.remote_player import RemotePlayer


@pytest.fixture
def sent():
    """What is sent to the machine that plays."""
    return []


@pytest.fixture
def player(sent):
    return RemotePlayer(lambda samples: sent.append(len(samples)), lambda: sent.append("clear"))


def give(player, samples, item_id="item_1"):
    player.playback.receive(item_id, 0, samples)
    player.play(np.zeros(samples, np.float32))


def test_sound_and_silence_are_sent(player, sent):
    give(player, 2400)
    player.clear()
    assert sent == [2400, "clear"]


def test_what_it_reports_was_heard(player):
    give(player, 2400)
    assert player.heard == 0
    player.report(1200)
    assert player.heard == 1200


def test_late_reports_take_nothing_back_and_none_goes_beyond_what_was_given(player):
    give(player, 2400)
    player.report(1200)
    player.report(600)
    assert player.heard == 1200
    player.report(99_999)
    assert player.heard == 2400
    give(player, 2400)
    assert player.heard == 2400, "the wrong report is forgotten, not saved up"


def test_it_may_report_by_item(player):
    give(player, 2400)
    give(player, 2400, "item_2")
    player.report_item("item_2", 50)
    assert player.heard == 3600
    player.report_item("item_9", 50)
    assert player.heard == 3600


def test_a_report_from_before_it_was_cleared_does_not_count(player):
    give(player, 24_000)
    player.playback.interrupt(player.heard)
    player.clear()
    give(player, 24_000, "item_2")
    player.report(12_000, cleared=0)
    player.report_item("item_1", 500)
    assert player.heard == 0
    player.report(1200, cleared=1)
    assert player.heard == 1200


@given(st.lists(st.tuples(st.booleans(), st.integers(-10, 100_000))))
def test_heard_only_grows_and_is_never_more_than_was_given(steps):
    player, given_so_far, before = RemotePlayer(lambda _: None, lambda: None), 0, 0
    for is_report, samples in steps:
        if is_report:
            player.report(samples)
        else:
            give(player, max(0, samples))
            given_so_far += max(0, samples)
        assert before <= player.heard <= given_so_far
        before = player.heard
