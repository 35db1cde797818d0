from tests.gateway.doubles import gateway


async def test_programs_get_a_document():
    async with gateway() as running, running.get("/api/openapi.json") as response:
        document = await response.json()
        assert document["openapi"] == "3.1.0"
        assert "get" in document["paths"]["/health"]


async def test_people_get_a_page_that_may_run_nothing():
    async with gateway() as running:
        async with running.get("/api") as response:
            assert response.content_type == "text/html"
            assert "default-src 'self'" in response.headers["Content-Security-Policy"]
            assert 'href="/web/api.css"' in await response.text()
        async with running.get("/web/api.css") as response:
            assert response.status == 200
