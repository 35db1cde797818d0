import pytest
from aiohttp import WSServerHandshakeError

from tests.gateway.doubles import gateway

RELAYED = ["realtime", "openai-insecure-api-key.null", "openai-beta.realtime-v1"]


async def test_it_shows_the_page():
    async with gateway() as running, running.get("/") as response:
        assert (response.status, response.content_type) == (200, "text/html")


@pytest.mark.parametrize("path", ["/", "/?model=gpt-4o-realtime-preview-2024-10-01"])
async def test_it_is_a_relay_for_those_who_speak_the_beta(path):
    async with gateway() as running, running.connect(path, protocols=RELAYED) as ws:
        assert ws.protocol == "realtime"
        assert (await ws.receive_json())["type"] == "session.created"


async def test_others_are_not_expected_there():
    async with gateway() as running:
        with pytest.raises(WSServerHandshakeError):
            await running.connect("/", protocols=["realtime"])
