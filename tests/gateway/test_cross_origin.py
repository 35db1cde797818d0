import pytest

from tests.gateway.doubles import gateway
from vivavoce.gateway.cross_origin import is_preflight

FRIEND = "https://shop.example"
ASKS = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("OPTIONS", {"Access-Control-Request-Method": "POST"}, True),
        ("OPTIONS", {}, False),
        ("POST", {"Access-Control-Request-Method": "POST"}, False),
    ],
)
def test_what_a_preflight_is(method, headers, expected):
    assert is_preflight(method, headers) is expected


class TestPagesThatAreLetIn:
    @pytest.mark.parametrize(
        ("path", "status"),
        [("/web/page.js", 200), ("/health", 200), ("/nowhere", 404), ("/v1/realtime", 426)],
    )
    async def test_may_read_every_answer(self, path, status):
        async with (
            gateway(allowed_origins=[FRIEND]) as running,
            running.get(path, headers={"Origin": FRIEND}) as response,
        ):
            assert response.status == status
            assert response.headers["Access-Control-Allow-Origin"] == FRIEND
            assert "Location" in response.headers["Access-Control-Expose-Headers"]
            assert "Origin" in response.headers.getall("Vary")
            assert "Access-Control-Allow-Credentials" not in response.headers

    @pytest.mark.parametrize("path", ["/v1/realtime/calls", "/v1/realtime/client_secrets", "/web/page.js"])
    async def test_are_told_before_they_ask_what_they_may_send(self, path):
        async with (
            gateway(allowed_origins=[FRIEND]) as running,
            running.client.options(running.url(path), headers=ASKS) as response,
        ):
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Origin"] == FRIEND
            assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
            assert "POST" in response.headers["Access-Control-Allow-Methods"]

    async def test_may_be_built_with_openais_packages(self):
        """What those send that a page loads, above what pages send by themselves."""
        async with (
            gateway(allowed_origins=[FRIEND]) as running,
            running.client.options(running.url("/v1/realtime/calls"), headers=ASKS) as response,
        ):
            allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
            assert {"authorization", "content-type", "openai-beta", "x-openai-agents-sdk"} <= {*allowed}


class TestOthers:
    @pytest.mark.parametrize("method", ["GET", "OPTIONS"])
    async def test_read_nothing(self, method):
        async with (
            gateway(allowed_origins=["https://else.example"]) as running,
            running.client.request(method, running.url("/web/page.js"), headers=ASKS) as response,
        ):
            assert response.status == 403
            assert "Access-Control-Allow-Origin" not in response.headers

    async def test_programs_are_told_nothing_but_that_it_varies(self):
        async with gateway(allowed_origins=[FRIEND]) as running, running.get("/web/page.js") as response:
            assert response.status == 200
            assert "Access-Control-Allow-Origin" not in response.headers
            assert "Origin" in response.headers.getall("Vary")

    async def test_a_question_without_a_method_is_none(self):
        async with (
            gateway(allowed_origins=[FRIEND]) as running,
            running.client.options(running.url("/health"), headers={"Origin": FRIEND}) as response,
        ):
            assert response.status == 405
