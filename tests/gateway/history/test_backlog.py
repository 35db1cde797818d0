from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.gateway.history.backlog import Backlog
from vivavoce.gateway.history.changes import ROW_BYTES, Change


def item(number, session_id="s", **values):
    return Change("items", session_id, f"i{number}", values)


def opened(session_id):
    return Change("sessions", session_id, session_id, {"started_at": 1.0})


def ids(changes):
    return [change.id for change in changes]


def test_a_row_that_changes_often_waits_once():
    backlog = Backlog()
    for status in ("in_progress", "completed"):
        backlog.add(item(1, status=status))
        backlog.add(item(1, role="user"))
    assert len(backlog) == 1
    assert backlog.take(10)[0].values == {"status": "completed", "role": "user"}
    assert len(backlog) == 0


def test_the_oldest_is_taken_first():
    backlog = Backlog()
    for number in range(5):
        backlog.add(item(number))
    assert ids(backlog.take(2)) == ["i0", "i1"]
    assert ids(backlog.take(10)) == ["i2", "i3", "i4"]


def test_what_is_put_back_comes_first_and_loses_to_what_came_meanwhile():
    backlog = Backlog()
    backlog.add(item(1, status="in_progress", role="user"))
    backlog.add(item(2))
    taken = backlog.take(2)
    backlog.add(item(3))
    backlog.add(item(1, status="completed"))
    backlog.put_back(taken)
    again = backlog.take(10)
    assert ids(again) == ["i1", "i2", "i3"]
    assert again[0].values == {"status": "completed", "role": "user"}


class TestLimit:
    def test_what_is_new_is_lost_and_its_session_marked(self):
        backlog = Backlog(max_bytes=3 * ROW_BYTES)
        backlog.add(opened("s"))
        for number in range(5):
            backlog.add(item(number))
        rows = backlog.take(10)
        assert ids(rows) == ["s", "i0", "i1", "i2"]
        assert rows[0].values == {"started_at": 1.0, "incomplete": True}
        assert backlog.lost == 2

    def test_there_is_room_again_once_rows_are_taken(self):
        backlog = Backlog(max_bytes=ROW_BYTES)
        backlog.add(item(1))
        backlog.take(1)
        backlog.add(item(2))
        assert (ids(backlog.take(5)), backlog.lost) == (["i2"], 0)

    def test_a_row_that_shrinks_is_never_lost(self):
        backlog = Backlog(max_bytes=ROW_BYTES + 10)
        backlog.add(item(1, name="x" * 10))
        backlog.add(item(1, name="y"))
        assert backlog.take(1)[0].values == {"name": "y"}

    def test_sessions_have_a_limit_of_their_own(self):
        backlog = Backlog(max_bytes=0, max_sessions=2)
        for name in ("a", "b", "c"):
            backlog.add(opened(name))
        backlog.add(Change("sessions", "a", "a", {"state": "ended"}))
        assert ids(backlog.take(5)) == ["a", "b"]
        assert backlog.lost == 1


ROW = st.builds(
    item, st.integers(0, 3), st.sampled_from("ab"), status=st.text(max_size=3), name=st.text(max_size=3)
)


@settings(deadline=None)
@given(st.lists(st.one_of(ROW, st.sampled_from(["take", "put back"])), max_size=40))
def test_with_room_for_all_it_loses_nothing(steps):
    backlog, written, taken = Backlog(), {}, []
    expected = {}
    for step in steps:
        if step == "take":
            for change in taken:
                written.setdefault((change.session_id, change.id), {}).update(change.values)
            taken = backlog.take(2)
        elif step == "put back":
            backlog.put_back(taken)
            taken = []
        else:
            backlog.add(step)
            expected.setdefault((step.session_id, step.id), {}).update(step.values)
    for change in (*taken, *backlog.take(1000)):
        written.setdefault((change.session_id, change.id), {}).update(change.values)
    assert written == expected
    assert backlog.lost == 0
