import logging

import pytest

from tests.gateway.limits.places import redis_server
from vivavoce.errors import LinkError
from vivavoce.gateway.shared.link import Link


async def test_what_redis_answers(tmp_path):
    async with redis_server(tmp_path) as (url, _):
        link = Link(url)
        assert await link.do(link.redis.ping())
        await link.close()


async def test_redis_that_is_gone_is_told_and_logged_once_and_may_come_back(tmp_path, caplog):
    async with redis_server(tmp_path) as (url, process):
        link = Link(url.replace("unix://", "unix://user:secret@"))
        process.kill()
        await process.wait()
        with caplog.at_level(logging.WARNING):
            for _ in range(2):
                with pytest.raises(LinkError):
                    await link.do(link.redis.ping())
        assert [record.name for record in caplog.records] == ["vivavoce.gateway.shared.link"]
        assert "secret" not in caplog.text
    async with redis_server(tmp_path) as (url, _):
        back = Link(url)
        assert await back.do(back.redis.ping())
        await back.close()
    await link.close()


@pytest.mark.parametrize("url", ["http://a.example", "redis", "", "redis://host:port"])
def test_an_address_that_is_none(url):
    with pytest.raises(ValueError, match=r"."):
        Link(url)
