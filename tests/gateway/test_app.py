import pytest

from tests.gateway.doubles import gateway


class TestDoor:
    @pytest.mark.parametrize("path", ["/", "/health", "/web/page.js", "/v1/realtime?model=m"])
    async def test_is_kept_on_every_path(self, path):
        async with gateway() as running:
            for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
                async with running.get(path, headers=headers) as response:
                    assert response.status == 403
                    assert (await response.json())["error"]["code"] in {
                        "host_not_allowed",
                        "origin_not_allowed",
                    }

    async def test_opens_for_a_page_of_its_own(self):
        async with gateway() as running, running.connect(origin=running.url("")) as ws:
            assert (await ws.receive_json())["type"] == "session.created"

    async def test_a_foreign_page_gets_no_session(self):
        async with gateway() as running:
            status, error, _ = await running.refused(Origin="https://evil.example")
            assert (status, error["code"]) == (403, "origin_not_allowed")
            assert running.upstream.sessions == []


class TestErrors:
    async def test_a_path_that_is_not_there_is_refused_in_json(self):
        async with gateway() as running, running.get("/nothing") as response:
            assert response.status == 404
            assert (await response.json())["error"] == {
                "message": "Not Found: GET /nothing",
                "type": "invalid_request_error",
                "code": "not_found",
                "param": None,
            }

    async def test_a_method_that_is_not_there_names_those_that_are(self):
        async with gateway() as running, running.client.post(running.url("/health")) as response:
            assert response.status == 405
            assert response.headers["Allow"] == "GET,HEAD"
            assert (await response.json())["error"]["code"] == "method_not_allowed"
