from hypothesis import given
from hypothesis import strategies as st

from vivavoce.gateway.resume.delivery import Delivery, Said


def _said(number, size=0):
    return Said(b'{"type":"x","event_id":"event_%d"}' % number + b" " * size)


def _left(delivery, after=None):
    number, left = delivery.after(after), []
    while (said := delivery.get(number)) is not None:
        left.append(said)
        number += 1
    return left


def test_what_has_arrived_is_not_kept():
    delivery = Delivery(10_000)
    for number in range(5):
        delivery.add(_said(number))
    delivery.arrived(3)
    assert delivery.count == 5
    assert _left(delivery) == [_said(3), _said(4)]
    delivery.arrived(2)
    assert len(_left(delivery)) == 2
    delivery.arrived(99)
    assert _left(delivery) == []


def test_a_client_may_say_what_it_got_last():
    delivery = Delivery(10_000)
    for number in range(5):
        delivery.add(_said(number))
    delivery.add(Said(b'{"event_id": "event_5"}'))
    assert _left(delivery, "event_3") == [_said(4), Said(b'{"event_id": "event_5"}')]
    assert _left(delivery, "event_5") == []
    assert len(_left(delivery, "event_unknown")) == 6


def test_where_there_is_no_room_the_oldest_is_lost_and_that_is_known():
    delivery = Delivery(300)
    for number in range(4):
        delivery.add(_said(number, 60))
    assert not delivery.complete
    assert _left(delivery)[-1] == _said(3, 60)
    delivery.arrived(0)
    assert not delivery.complete
    delivery.arrived(1)  # so it was not lost after all
    assert delivery.complete


def test_one_is_always_kept():
    delivery = Delivery(1)
    assert delivery.has_room(100)
    delivery.add(_said(0))
    assert not delivery.has_room(1)
    assert _left(delivery) == [_said(0)]


@given(st.lists(st.one_of(st.integers(0, 40).map(lambda n: ("arrived", n)), st.just(("add", 0)))))
def test_what_is_left_are_the_last_in_their_order(steps):
    delivery, count, got = Delivery(200), 0, 0
    for step, number in steps:
        if step == "add":
            delivery.add(_said(count))
            count += 1
        else:
            got = max(got, min(number, count))
            delivery.arrived(min(number, count))
        left = _left(delivery)
        assert left == [_said(n) for n in range(count - len(left), count)]
        assert len(left) <= count - got
        assert not delivery.complete or len(left) == count - got


def test_another_process_goes_on_with_what_is_kept():
    delivery = Delivery(200)
    for number in range(3):
        delivery.add(_said(number))
    other = Delivery.of(200, delivery.kept, complete=True)
    assert (_left(other), other.complete) == (_left(delivery), True)
    assert not Delivery.of(200, delivery.kept, complete=False).complete
    small = Delivery.of(len(_said(2).data), delivery.kept, complete=True)
    assert (_left(small), small.complete) == ([_said(2)], False)
