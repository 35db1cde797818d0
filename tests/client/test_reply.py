import asyncio

import pytest

from vivavoce.client.reply import Reply
from vivavoce.client.responses import Request
from vivavoce.errors import VivaVoceError
from vivavoce.protocol.responses import Response, ResponseCreateParams


@pytest.fixture
async def reply():
    return Reply(Request("event_1", ResponseCreateParams()))


async def test_the_response_is_what_is_waited_for(reply):
    assert not reply.settle()
    waiting = [asyncio.ensure_future(_wait(reply)) for _ in range(2)]
    await asyncio.sleep(0)
    reply.request.response_id = "resp_1"
    reply.request.response = Response(id="resp_1")
    assert reply.settle()
    assert reply.settle(), "and again it is no news"
    assert await asyncio.gather(*waiting) == [reply.request.response] * 2
    assert reply.done
    assert reply.response_id == "resp_1"
    assert await reply is reply.request.response


async def test_an_error_is_raised_to_everyone_who_waits(reply):
    reply.request.error = VivaVoceError("no")
    reply.settle()
    for _ in range(2):
        with pytest.raises(VivaVoceError, match="no"):
            await reply


async def test_who_gives_up_waiting_takes_nothing_away(reply):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await reply
    assert not reply.done


async def _wait(reply):
    return await reply


async def test_an_error_that_comes_after_somebody_gave_up_is_no_defect(reply):
    """Python 3.14 tells the loop of one where who waits is shielded."""
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await reply
    reply.request.error = VivaVoceError("no")
    reply.settle()
    await asyncio.sleep(0)
    assert not told
