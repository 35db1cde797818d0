import msgspec
import pytest

from vivavoce.client.continuity import Continuity
from vivavoce.client.conversation import Conversation
from vivavoce.client.conversation_item import ConversationItem, Part
from vivavoce.gateway.opening import Caller, Opening
from vivavoce.gateway.resume.delivery import Said
from vivavoce.gateway.resume.snapshot import VERSION, Snapshot, read, write
from vivavoce.gateway.upstreams.enduring import EnduringState
from vivavoce.protocol.session_params import RealtimeSessionParams


def _snapshot(**changes):
    thread = Continuity(Conversation()).state()
    opening = Opening(
        "sess_1", Caller("ada"), "m", RealtimeSessionParams(instructions="Sing."), "ga", 1.0, age=2.0
    )
    snapshot = Snapshot(
        opening, 3.0, 4, [Said(b"{}"), Said(b"\0", binary=True)], True, EnduringState(thread, [], [])
    )
    return msgspec.structs.replace(snapshot, **changes)


def _full():
    snapshot = _snapshot(said=[Said(bytes(1000))] * 10)
    thread = snapshot.state.thread
    thread.items = [
        ConversationItem(f"item_{n}", "message", content=[Part(text="x" * 500)]) for n in range(8)
    ]
    thread.journal.utterances = {"item_1": bytes(5000)}
    thread.journal.entries = [(0, bytes(5000)), (-1, b'{"type":"response.create"}')]
    return snapshot


def test_is_read_as_it_was_written():
    snapshot = _snapshot()
    assert read(write(snapshot, 10**6)) == snapshot
    delivery = snapshot.delivery(10**6)
    assert (delivery.kept, delivery.complete) == (snapshot.said, True)


@pytest.mark.parametrize("data", [b"", b"\xc1", msgspec.msgpack.encode({"at": 1})])
def test_what_is_none_is_not_read(data):
    assert read(data) is None


def test_one_of_another_version_is_not_read():
    assert read(write(_snapshot(version=VERSION + 1), 10**6)) is None


@pytest.mark.parametrize(
    ("most", "left"),
    [
        (10**6, (10, 1, 1, 8, 0)),
        (17_000, (0, 1, 1, 8, 0)),
        (12_000, (0, 0, 1, 8, 0)),
        (6_000, (0, 0, 0, 8, 1)),
        (4_000, (0, 0, 0, 4, 2)),
        (10, (0, 0, 0, 0, 5)),
    ],
)
def test_what_is_least_needed_is_left_out_first(most, left):
    said, utterances, speech, items, lost = left
    data = write(_full(), most)
    snapshot = read(data)
    journal = snapshot.state.thread.journal
    assert (len(snapshot.said), snapshot.complete) == (said, said > 0)
    assert len(journal.utterances) == utterances
    assert [start for start, _ in journal.entries] == [0] * speech + [-1]
    assert [item.id for item in snapshot.state.thread.items] == [f"item_{n}" for n in range(8)][8 - items :]
    assert len(snapshot.lost) == lost
    assert len(data) <= most or most == 10
