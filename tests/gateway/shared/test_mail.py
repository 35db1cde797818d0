import asyncio
import logging
from contextlib import asynccontextmanager

import pytest

from tests.gateway.limits.places import redis_server
from tests.gateway.shared.houses import until
from vivavoce.errors import LinkError
from vivavoce.gateway.shared.link import Link
from vivavoce.gateway.shared.mail import Mail, new_name


async def _yes(question):
    return question.what == "this"


@asynccontextmanager
async def post(url, *answers):
    """Let processes listen that answer so."""
    links = [Link(url) for _ in answers]
    mails = [
        Mail(link, f"process {number}", answer)
        for number, (link, answer) in enumerate(zip(links, answers, strict=True))
    ]
    tasks = [asyncio.create_task(mail.run()) for mail in mails]
    async with asyncio.timeout(30):
        await asyncio.gather(*(mail.listening.wait() for mail in mails))
    try:
        yield mails, tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for link in links:
            await link.close()


async def test_a_question_is_answered(tmp_path):
    async with redis_server(tmp_path) as (url, _), post(url, _yes, _yes) as ([one, _], _):
        assert await one.ask("process 1", "yield", "this") is True
        assert await one.ask("process 1", "hang_up", "that") is False
        answers = await asyncio.gather(
            *(one.ask("process 1", "yield", "this" if even else "that") for even in (True, False) * 10)
        )
        assert answers == [True, False] * 10


async def test_who_is_gone_is_known_at_once(tmp_path):
    async with redis_server(tmp_path) as (url, _), post(url, _yes, _yes) as ([one, _], [_, task]):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await one.ask("process 1", "yield", "this") is None
        assert await one.ask("nobody", "yield", "this") is None


async def test_who_says_nothing_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr("vivavoce.gateway.shared.mail.ANSWER_SECONDS", 0.05)

    async def silent(_):
        await asyncio.Event().wait()

    async with redis_server(tmp_path) as (url, _), post(url, _yes, silent) as ([one, _], _):
        assert await one.ask("process 1", "yield", "this") is None


async def test_what_nobody_understands_harms_nobody(tmp_path, caplog):
    async with redis_server(tmp_path) as (url, _), post(url, _yes, _yes) as ([one, _], _):
        await one._link.redis.publish("vivavoce:process:process 1", b"\xc1 nonsense")
        assert await one.ask("process 1", "yield", "this") is True
        assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_after_redis_was_gone_it_listens_again(tmp_path, monkeypatch):
    monkeypatch.setattr("vivavoce.gateway.shared.mail.RETRY_SECONDS", 0.05)
    async with redis_server(tmp_path) as (url, process), post(url, _yes, _yes) as (mails, _):
        process.kill()
        await process.wait()
        with pytest.raises(LinkError):
            await mails[0].ask("process 1", "yield", "this")
        await until(lambda: not any(mail.listening.is_set() for mail in mails))
        async with redis_server(tmp_path), asyncio.timeout(30):
            await asyncio.gather(*(mail.listening.wait() for mail in mails))
            assert await mails[0].ask("process 1", "yield", "this") is True


def test_no_two_names_are_the_same():
    assert new_name() != new_name()
