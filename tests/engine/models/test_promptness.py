import asyncio

import pytest

from vivavoce.engine.models.promptness import Promptness


@pytest.mark.parametrize(("took", "worth"), [(0.0, True), (0.29, True), (0.31, False)])
async def test_only_who_is_quick_is_asked(took, worth):
    promptness = Promptness()
    now = [100.0]
    loop = asyncio.get_running_loop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "time", lambda: now[0])
        with promptness.measured():
            now[0] += took
    assert promptness.worth_asking == worth


async def test_the_last_request_counts():
    promptness = Promptness()
    promptness._took = 5.0
    assert not promptness.worth_asking
    with promptness.measured():
        pass
    assert promptness.worth_asking


async def test_one_that_failed_at_once_was_not_quick():
    promptness = Promptness()
    promptness._took = 5.0
    with pytest.raises(OSError, match="gone"), promptness.measured():
        raise OSError("gone")
    assert not promptness.worth_asking


def test_who_may_not_be_asked_is_not():
    assert not Promptness(partials=False).worth_asking
