import json
import logging

import pytest
from aiohttp import web

from tests.gateway.auth.signing import jwks
from vivavoce.errors import VivaVoceError
from vivavoce.gateway.auth.jwks import MOST_BYTES, PublicKeys


class Issuer:
    """Somebody who tells its public keys over HTTP, and counts how often it is asked."""

    def __init__(self):
        self.answer = web.json_response, jwks("one")
        self.asked = 0
        self.url = ""

    async def handle(self, request):
        self.asked += 1
        make, what = self.answer
        return make(what)


@pytest.fixture
async def issuer():
    issuer = Issuer()
    app = web.Application()
    app.router.add_get("/jwks", issuer.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    issuer.url = f"http://127.0.0.1:{site.port}/jwks"
    yield issuer
    await runner.cleanup()


async def test_asks_once_and_keeps_the_answer(issuer):
    keys = PublicKeys(issuer.url, seconds=1000)
    for _ in range(3):
        assert set(await keys.get()) == {"one"}
    assert issuer.asked == 1


async def test_a_key_that_is_missing_is_asked_for_but_not_each_time(issuer):
    keys = PublicKeys(issuer.url, seconds=1000, pause=0)
    await keys.get()
    issuer.answer = web.json_response, jwks("two")
    assert set(await keys.get(anew=True)) == {"two"}
    patient = PublicKeys(issuer.url, seconds=1000, pause=1000)
    for _ in range(5):
        await patient.get(anew=True)
    assert issuer.asked == 3


async def test_old_keys_are_asked_for_again(issuer):
    keys = PublicKeys(issuer.url, seconds=0)
    await keys.get()
    issuer.answer = web.json_response, jwks("one", "two")
    assert set(await keys.get()) == {"one", "two"}


@pytest.mark.parametrize(
    "answer",
    [
        (lambda _: web.Response(status=500), None),
        (lambda _: web.Response(status=302, headers={"Location": "/jwks"}), None),
        (lambda _: web.Response(text="{"), None),
        (lambda _: web.Response(body=b" " * (MOST_BYTES + 1)), None),
        (web.json_response, {"keys": []}),
    ],
)
async def test_an_answer_that_is_none_changes_nothing(issuer, answer, caplog):
    keys = PublicKeys(issuer.url, seconds=0, pause=0)
    await keys.get()
    issuer.answer = answer
    with caplog.at_level(logging.WARNING):
        assert set(await keys.get()) == {"one"}
    assert "VIVAVOCE_JWT_KEYS cannot be had" in caplog.text
    with pytest.raises(VivaVoceError, match="cannot be had now"):
        await PublicKeys(issuer.url, seconds=0).get()


async def test_a_file_is_read_again(tmp_path):
    path = tmp_path / "jwks.json"
    keys = PublicKeys(str(path), seconds=0, pause=0)
    with pytest.raises(VivaVoceError, match="cannot be had now"):
        await keys.get()
    path.write_text(json.dumps(jwks("one")))
    assert set(await keys.get()) == {"one"}


@pytest.mark.parametrize("where", ["http://issuer.example/jwks", "http://169.254.169.254/"])
def test_an_address_that_anybody_on_the_way_could_answer_for(where):
    with pytest.raises(VivaVoceError, match="https://"):
        PublicKeys(where, seconds=1)
