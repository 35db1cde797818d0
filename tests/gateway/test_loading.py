import asyncio

import pytest

from tests.gateway.doubles import ScriptedProgress, ScriptedUpstream
from vivavoce.errors import WeightsUnavailable
from vivavoce.gateway.loading import Loading


async def _settled():
    """Let every task that can run have run."""
    for _ in range(5):
        await asyncio.sleep(0)


class TestLoading:
    async def test_goes_on_in_the_background(self):
        upstream = ScriptedUpstream(ready=False)
        loading = Loading(upstream)
        assert loading.state == "loading"
        loading.begin()
        await _settled()
        assert loading.state == "loading"
        upstream.let_ready.set()
        await loading.finished()
        assert loading.state == "ready"

    async def test_cannot_be_waited_for_before_it_begins(self):
        with pytest.raises(RuntimeError, match="begin"):
            await Loading(ScriptedUpstream()).finished()

    async def test_a_waiter_that_gives_up_does_not_stop_it(self):
        upstream = ScriptedUpstream(ready=False)
        loading = Loading(upstream)
        loading.begin()
        waiter = asyncio.create_task(loading.finished())
        await _settled()
        waiter.cancel()
        upstream.let_ready.set()
        await loading.finished()

    @pytest.mark.parametrize(
        ("failure", "said"),
        [
            (WeightsUnavailable("nobody has them"), "nobody has them"),
            (ZeroDivisionError(), "ZeroDivisionError"),
        ],
    )
    async def test_tells_why_it_failed_whatever_it_was(self, failure, said, caplog):
        loading = Loading(ScriptedUpstream(failure=failure))
        loading.begin()
        with pytest.raises(type(failure)):
            await loading.finished()
        assert (loading.state, loading.error) == ("failed", said)
        await _settled()
        assert "could not be loaded" in caplog.text

    async def test_stops(self):
        upstream = ScriptedUpstream(ready=False)
        loading = Loading(upstream)
        await loading.stop()  # nothing began yet
        loading.begin()
        await _settled()
        await loading.stop()
        assert (loading.state, loading.error) == ("loading", "")


class TestProgress:
    async def test_is_passed_on_and_kept_while_something_is_fetched(self):
        heard = []
        upstream = ScriptedUpstream(ready=False)
        loading = Loading(upstream, heard.append)
        loading.begin()
        await _settled()
        assert loading.progress is None
        half = ScriptedProgress("recogniser", 21, 42)
        upstream.progress(half)
        assert heard == [half]
        assert loading.progress == {"name": "recogniser", "done": 21, "total": 42}
        upstream.progress(ScriptedProgress("recogniser", 42, 42))
        assert loading.progress is None
        await loading.stop()
