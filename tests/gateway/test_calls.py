import asyncio

from vivavoce.gateway.calls import Calls, Held
from vivavoce.gateway.opening import Caller

ADA, BOB, ROOT = Caller("ada"), Caller("bob"), Caller("root", admin=True)


def test_a_call_is_found_by_its_caller_while_it_lasts():
    calls = Calls()
    held = Held("rtc_1", ADA, None, None)
    with calls.hold(held):
        assert len(calls) == 1
        assert calls.find("rtc_1", ADA) is held
        assert calls.find("rtc_1", Caller("ada", key="another")) is held
        assert calls.find("rtc_1", ROOT) is held
        assert calls.find("rtc_1", BOB) is None
        assert calls.find("rtc_2", ADA) is None
    assert calls.find("rtc_1", ADA) is None


def test_ids_are_of_their_kind_and_never_the_same():
    ids = {Calls.new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(one.startswith("rtc_") and len(one) == 32 for one in ids)


async def test_keeps_what_holds_a_call_alive():
    calls, ended = Calls(), asyncio.Event()
    calls.keep(asyncio.create_task(ended.wait()))
    assert len(calls._tasks) == 1
    ended.set()
    await asyncio.gather(*calls._tasks)
    await asyncio.sleep(0)
    assert not calls._tasks
