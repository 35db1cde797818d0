import io
import json
import logging

import pytest

from tests.gateway.doubles import ScriptedTransport, ScriptedUpstream, gateway
from vivavoce.gateway import GatewaySettings
from vivavoce.gateway.operations.logs import JsonLines, Lines, configure

SECRETS = ("sk-secret", "ek-secret", "query-secret", "spoken-secret", "reason-secret", "answer-secret")


@pytest.fixture
def written():
    """Return a function for what is logged from now on, down to the last detail, as lines of a formatter."""
    root = logging.getLogger()
    level, stream, handler = root.level, io.StringIO(), None

    def begin(formatter):
        nonlocal handler
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        return stream.getvalue

    yield begin
    root.removeHandler(handler)
    root.setLevel(level)


class Failing(ScriptedTransport):
    async def send(self, data):
        raise ValueError(f"cannot do {data}")


async def _everything(upstream, **headers):
    """Say secrets wherever a client can say anything."""
    async with gateway(upstream) as running:
        headers = {"Authorization": "Bearer sk-secret", **headers}
        protocols = ["realtime", "openai-insecure-api-key.ek-secret"]
        path = "/v1/realtime?model=m&token=query-secret"
        async with running.connect(path, headers=headers, protocols=protocols) as ws:
            await ws.receive()
            await ws.send_str('{"type":"spoken-secret"}')
            await ws.receive()
            await ws.close(code=4000, message=b"reason-secret")
        await running.sessions.emptied()
        async with running.get("/nothing?key=query-secret", headers=headers) as response:
            return response.headers["X-Request-Id"]


class TestSecrets:
    @pytest.mark.parametrize("formatter", [Lines, JsonLines])
    async def test_nothing_that_was_said_or_shown(self, written, formatter):
        def reply(data):
            return [{"type": "answer-secret"}]

        lines = written(formatter())
        await _everything(ScriptedUpstream(reply=reply))
        assert "/nothing" in lines()
        for secret in SECRETS:
            assert secret not in lines()

    async def test_not_even_where_something_fails(self, written):
        lines = written(JsonLines())
        await _everything(ScriptedUpstream(transport=Failing))
        [failed] = [line for line in map(json.loads, lines().splitlines()) if "error" in line]
        assert (failed["level"], failed["error"]) == ("error", "ValueError")
        assert failed["at"][-1].endswith(" send")
        assert failed["session"].startswith("sess_")
        for secret in SECRETS:
            assert secret not in lines()


class TestNames:
    async def test_a_request_is_called_what_its_proxy_calls_it(self, written):
        lines = written(JsonLines())
        assert await _everything(ScriptedUpstream(), **{"X-Request-Id": "abc-1"}) == "abc-1"
        access = [
            line for line in map(json.loads, lines().splitlines()) if line["logger"] == "aiohttp.access"
        ]
        assert [line["request"] for line in access] == ["abc-1", "abc-1"]
        assert [line["path"] for line in access] == ["/v1/realtime", "/nothing"]
        assert [line["status"] for line in access] == [101, 404]
        assert access[0]["session"].startswith("sess_")
        assert "session" not in access[1]

    async def test_but_not_just_anything(self):
        assert (await _everything(ScriptedUpstream(), **{"X-Request-Id": "a b"})).startswith("req_")

    async def test_each_session_has_its_own_lines(self, written):
        lines = written(JsonLines())
        async with gateway() as running:
            async with running.connect() as one, running.connect() as two:
                await one.receive()
                await two.receive()
                for session in running.upstream.sessions:
                    session.hang_up(1001, "reason-secret")
                await one.receive()
                await two.receive()
            await running.sessions.emptied()
        ended = [
            line for line in map(json.loads, lines().splitlines()) if "a session ended" in line["message"]
        ]
        assert len({line["session"] for line in ended}) == 2
        assert "reason-secret" not in lines()


class TestLines:
    def _formatted(self, formatter, *arguments, **extra):
        record = logging.LogRecord("a.b", logging.INFO, __file__, 1, *arguments, None)
        vars(record).update(extra)
        return formatter.format(record)

    def test_what_a_line_adds_is_in_it(self):
        line = json.loads(self._formatted(JsonLines(), "took %d", (3,), facts={"seconds": 3}))
        assert (line["message"], line["level"], line["logger"], line["seconds"]) == (
            "took 3",
            "info",
            "a.b",
            3,
        )
        assert line["time"].endswith("+00:00")

    @pytest.mark.parametrize("formatter", [Lines(), JsonLines()])
    def test_no_line_begins_within_another(self, formatter):
        assert "\n" not in self._formatted(formatter, "a\nERROR b: c\r", ())

    def test_people_are_told_the_session(self):
        assert self._formatted(Lines(), "x", (), facts={"session": "sess_1"}).endswith("INFO a.b: x [sess_1]")


@pytest.mark.parametrize(("form", "formatter"), [("json", JsonLines), ("text", Lines)])
def test_configure(form, formatter, monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    level = root.level
    try:
        configure(GatewaySettings(log_format=form, log_level="error"))
        assert isinstance(root.handlers[0].formatter, formatter)
        assert (len(root.handlers), root.level) == (1, logging.ERROR)
    finally:
        root.setLevel(level)
