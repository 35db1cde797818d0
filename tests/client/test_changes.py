import logging

import pytest

from vivavoce.client.changes import CHANGES, Appended, Interrupted, Listeners, Updated
from vivavoce.client.conversation_item import ConversationItem

ITEM = ConversationItem("a")


def test_each_is_told_what_it_asked_for():
    listeners, told = Listeners(), []
    listeners.on("item.appended", told.append)
    listeners.on("updated", told.append)
    for change in (Appended(ITEM), Interrupted(ITEM), Updated(ITEM)):
        listeners.tell(change)
    assert told == [Appended(ITEM), Updated(ITEM)]
    assert [listeners.any(name) for name in CHANGES] == [True, False, True, False]


def test_who_is_taken_off_is_told_no_more():
    listeners, told = Listeners(), []
    off = listeners.on("updated", told.append)
    off()
    listeners.tell(Updated(ITEM))
    assert told == []
    assert not listeners.any("updated")


def test_one_may_take_itself_off_while_it_is_told():
    listeners, told = Listeners(), []
    off = listeners.on("updated", lambda change: (told.append(change), off()))
    listeners.on("updated", told.append)
    for _ in range(2):
        listeners.tell(Updated(ITEM))
    assert len(told) == 3


def test_one_that_fails_keeps_the_others_from_nothing(caplog):
    listeners, told = Listeners(), []
    listeners.on("updated", lambda _: 1 / 0)
    listeners.on("updated", told.append)
    with caplog.at_level(logging.ERROR):
        listeners.tell(Updated(ITEM))
    assert told == [Updated(ITEM)]
    assert "a listener to updated failed" in caplog.text


def test_a_name_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match=r"item\.appended, .* got 'item\.moved'"):
        Listeners().on("item.moved", print)
