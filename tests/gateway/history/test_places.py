from vivavoce.client.conversation import Conversation
from vivavoce.gateway.history.clock import Track
from vivavoce.gateway.history.places import Places
from vivavoce.protocol.codec import decode_server_event

from .doubles import frame, message


def conversation(*item_ids):
    mirror = Conversation()
    for item_id in item_ids:
        add(mirror, item_id, "last")
    return mirror


def add(mirror, item_id, previous):
    previous = (
        mirror.items[-1].id
        if previous == "last" and mirror.items
        else None
        if previous == "last"
        else previous
    )
    event = frame("conversation.item.added", previous_item_id=previous, item=message(item_id, "user"))
    return mirror.fold(decode_server_event(event.data))


def test_items_stand_in_the_order_in_which_they_come():
    mirror = conversation("a", "b", "c")
    places = Places(mirror)
    positions = [places.values(item)["position"] for item in mirror.items]
    assert positions == sorted(set(positions))


def test_there_is_always_room_between_two():
    mirror = conversation("a", "z")
    places = Places(mirror)
    a, z = (places.values(item)["position"] for item in mirror.items)
    between = [places.values(add(mirror, f"i{number}", "a"))["position"] for number in range(30)]
    assert a < min(between)
    assert max(between) < z
    assert between == sorted(set(between), reverse=True)


def test_there_is_room_before_the_first():
    mirror = conversation("a")
    places = Places(mirror)
    first = places.values(mirror.items[0])["position"]
    assert places.values(add(mirror, "b", None))["position"] < first


def test_an_item_keeps_its_place():
    mirror = conversation("a", "b")
    places = Places(mirror)
    item = mirror.items[1]
    position = places.values(item)["position"]
    places.values(add(mirror, "c", "last"))
    assert places.values(item)["position"] == position


def test_what_is_cut_ends_there_and_never_before_it_began():
    places = Places(Conversation())
    places.spoken("past", 0, 100)
    places.spoken("now", 100, 500)
    places.spoken("to come", 500, 900)
    assert places.cut(300) == ["now", "to come"]
    assert places.cut_item("now", 50) == 150
    assert places.cut_item("unheard of", 50) is None


def test_a_turn_that_was_detected_keeps_its_times():
    places, track = Places(Conversation()), Track()
    track.place(0, 1000)
    places.heard("u", start=100)
    places.heard("u", end=900)
    assert places.committed("u", track) is False
    assert places.committed("by hand", track) is True


def test_what_was_seen_first_counts():
    mirror = conversation("a")
    places = Places(mirror)
    places.seen("a", 1.0)
    places.seen("a", 2.0)
    places.delete("a")
    values = places.values(mirror.items[0])
    assert (values["created_at"], values["deleted"], values["start_ms"], values["usage"]) == (
        1.0,
        True,
        None,
        None,
    )
