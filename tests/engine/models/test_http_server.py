import asyncio
import json
import logging

import aiohttp
import pytest
from aiohttp import web

from tests.engine.models.http_double import HttpDouble, in_turn, refuse, stream
from vivavoce.engine.models import http_server
from vivavoce.engine.models.http_server import HttpServer, Refused
from vivavoce.errors import ModelError

KEY = "sk-very-secret"
GOOD = stream(b"yes", kind="text/plain")


@pytest.fixture
async def double():
    async with HttpDouble().serve() as double:
        yield double


@pytest.fixture
async def server(double):
    server = HttpServer(double.url, model="m", key=KEY)
    yield server
    await server.close()


async def ask(server, **how):
    async with server.post("/x", **(how or {"json": {}})) as response:
        return await response.text()


async def fails(server, why, kind=ModelError):
    with pytest.raises(kind, match=why) as failure:
        await ask(server)
    assert str(failure.value).startswith("m at http://127.0.0.1:")
    return failure.value


async def hang_up(_, request):
    request.transport.abort()
    return web.Response()


class TestAsking:
    async def test_the_key_goes_with_what_is_asked(self, double, server):
        double.answer = GOOD
        assert await ask(server, json={"a": 1}) == "yes"
        (asked,) = double.asked
        assert (asked.path, asked.key, asked.body) == ("/v1/x", f"Bearer {KEY}", {"a": 1})

    async def test_without_a_key_none_is_sent(self, double):
        double.answer = GOOD
        server = HttpServer(double.url + "/", model="m")
        await ask(server)
        await server.close()
        assert (double.asked[0].path, double.asked[0].key) == ("/v1/x", "")

    async def test_the_connection_is_kept(self, double, server):
        ports = set()

        async def answer(asked, request):
            ports.add(request.transport.get_extra_info("peername"))
            return await GOOD(asked, request)

        double.answer = answer
        for _ in range(3):
            await ask(server)
        assert len(ports) == 1

    async def test_leaving_early_closes_it(self, double, server):
        double.answer = stream(b"yes", then=asyncio.Event())
        async with server.post("/x", json={}) as response:
            assert await response.content.readany() == b"yes"
        async with asyncio.timeout(5):
            await double.left.wait()

    async def test_a_kept_connection_that_was_just_closed_is_no_failure(self, double, server):
        double.answer = in_turn(GOOD, hang_up, GOOD)
        assert [await ask(server) for _ in range(2)] == ["yes", "yes"]

    async def test_a_form_can_be_sent_a_second_time(self, double, server):
        def form():
            form = aiohttp.FormData({"a": "b"})
            form.add_field("file", b"1234", filename="x")
            return form

        double.answer = in_turn(hang_up, GOOD)
        assert await ask(server, form=form) == "yes"
        assert double.asked[0].form == double.asked[1].form
        assert double.asked[0].form["file"] == b"1234"


class TestFailures:
    async def test_a_refusal_has_its_status(self, double, server):
        double.answer = refuse(404, '{"error": {"message": "no such model"}}')
        assert (await fails(server, "answered 404 Not Found: no such model$", Refused)).status == 404

    async def test_a_page_instead_of_an_error(self, double, server):
        double.answer = refuse(502, "<html>" + "x" * 100_000, kind="text/html")
        assert len(str(await fails(server, "answered 502 Bad Gateway: <html>x+…"))) < 400

    async def test_a_redirection_is_not_followed(self, double, server):
        double.answer = refuse(307, "", Location="http://127.0.0.1:9/v1/x")
        await fails(server, "answered 307 Temporary Redirect$")

    async def test_the_key_is_never_told(self, double, server, caplog):
        caplog.set_level(logging.DEBUG)
        double.answer = refuse(401, json.dumps({"error": {"message": f"Wrong key {KEY}."}}))
        failure = await fails(server, "answered 401 Unauthorized: Wrong key …[.]")
        assert KEY not in f"{failure} {failure!r} {server!r} {server.error(KEY)}" + caplog.text

    async def test_nobody_is_there(self, free_port):
        server = HttpServer(f"http://127.0.0.1:{free_port}/v1", model="m")
        await fails(server, r"it cannot be reached \(.*refused.*\)[.]")
        await server.close()

    async def test_who_says_nothing_is_not_waited_for(self, double, server, monkeypatch):
        monkeypatch.setattr(http_server, "SILENCE_SECONDS", 0.05)
        double.answer = stream(b"ye", then=asyncio.Event())
        await fails(server, "said nothing for 0[.]05 s")

    async def test_broken_off(self, double, server):
        double.answer = stream(b"ye", lose=True)
        await fails(server, "lost in the middle")

    async def test_always_hanging_up(self, double, server):
        double.answer = hang_up
        await fails(server, "lost in the middle")
        assert len(double.asked) == 2

    async def test_no_http(self):
        async def serve(reader, writer):
            await reader.readline()
            writer.write(b"hello\r\n\r\n")
            writer.close()

        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        server = HttpServer(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", model="m")
        await fails(server, "what it sent is no answer")
        await server.close()
        listening.close()

    async def test_a_closed_one_says_so(self, server):
        await server.close()
        await fails(server, "it is closed")
        await server.close()
