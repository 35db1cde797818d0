"""What anybody can send to the HTTP side: whatever it is, the answer is a refusal in JSON, and never a defect."""

import asyncio
import json
import logging
import string

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from tests.gateway.auth.knocking import SECRETS
from tests.gateway.doubles import gateway

PATHS = [
    "/", "/health", "/v1/realtime", SECRETS, "/v1/realtime/sessions", "/v1/realtime/calls", "/web/index.html",
    "/web/../app.py", "/web/%2e%2e/%2e%2e/gateway/app.py", "/api/v1/streaming/realtime",
    "/api/v1/streaming/realtime/ada", "/api/v1/streaming/realtime/status", "/api/v1/sessions", "/api/v1/sessions/x",
    "/api/v1/sessions/x/items", "/nothing",
]  # fmt: skip
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"]
HEADERS = [
    "Authorization", "Content-Type", "Origin", "Upgrade", "Connection", "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version", "Sec-WebSocket-Key", "OpenAI-Beta", "OpenAI-Safety-Identifier", "Range",
    "If-None-Match", "X-Forwarded-For",
]  # fmt: skip
PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "session",
                    "type",
                    "instructions",
                    "audio",
                    "expires_after",
                    "seconds",
                    "tools",
                    "model",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


async def check(response):
    """Say that an answer is no defect, and that a refusal has the protocol's form."""
    body = await response.read()
    assert response.status < 500 or response.status == 503, body
    if response.status == 416:  # of a file, which says how much of it there is (RFC 9110, 15.5.17)
        assert response.headers["Content-Range"].startswith("bytes */")
    elif response.status >= 400 and response.method != "HEAD":
        error = json.loads(body)["error"]
        assert {"message", "type", "code", "param"} == error.keys()
        assert error["message"]
        assert error["code"]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.fixed_dictionaries({
    "method": st.sampled_from(METHODS),
    "path": st.sampled_from(PATHS),
    "query": st.dictionaries(
        st.sampled_from(["model", "intent", "call_id", "token", "single_use", "limit", "before", "x"]),
        st.text(max_size=20).filter(lambda text: text.isprintable()), max_size=3,
    ),
    "headers": st.dictionaries(st.sampled_from(HEADERS), st.text(PRINTABLE, max_size=30).map(str.strip), max_size=4),
    "body": st.none() | st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()),
}), min_size=1, max_size=25))  # fmt: skip
def test_no_request_is_a_defect(requests):
    async def scenario():
        async with gateway() as running:
            for one in requests:
                headers = one["headers"]
                if "Upgrade" in headers:
                    headers = {**headers, "Upgrade": "h2c"}  # those to WebSockets are tried in test_frames.py
                url = URL(running.url(one["path"]), encoded=True).with_query(one["query"])
                try:
                    async with running.client.request(
                        one["method"], url, headers=headers, data=one["body"]
                    ) as got:
                        await check(got)
                except aiohttp.ClientConnectionError:
                    continue  # what cannot be read as HTTP is not answered for long
            async with running.get("/health") as response:
                assert response.status == 200

    asyncio.run(scenario())


async def test_a_part_of_a_page_that_it_does_not_have_is_refused():
    async with gateway() as running, running.get("/", headers={"Range": "bytes=9999999-"}) as response:
        assert response.status == 416
        await check(response)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(JSON)
def test_whatever_is_asked_of_a_key_is_made_or_refused(asked):
    async def scenario():
        async with gateway() as running, running.client.post(running.url(SECRETS), json=asked) as response:
            assert response.status in {200, 400}
            await check(response)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "path",
    [
        "/web/../app.py",
        "/web/%2e%2e/app.py",
        "/web/..%2fapp.py",
        "/web//etc/passwd",
        "/web/%00",
        "/web/.%00./x",
    ],
)
async def test_no_file_but_the_pages_is_told(path):
    async with gateway() as running, running.client.get(URL(running.url(path), encoded=True)) as response:
        assert response.status == 404


async def test_a_request_that_cannot_be_read_is_not_repeated_in_a_log(caplog):
    caplog.set_level(logging.DEBUG)
    async with gateway() as running:
        for text in (
            "GET /?token=canary-of-mine HTTP/9.9\r\n\r\n",
            "GET /v1/realtime HTTP/1.1\r\nAuthorization Bearer canary-of-mine\r\n\r\n",
            "GET /v1/realtime HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer canary-of-mine\x00\r\n\r\n",
            "canary-of-mine\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(text.encode())
            async with asyncio.timeout(30):
                assert b" 400 " in await reader.readline()
            writer.close()
    assert "canary-of-mine" not in caplog.text
