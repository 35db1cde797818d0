"""Calls over WebRTC that are begun for somebody else: the offer passes here with our key, and the media does not.

What the caller offers is theirs to make. A sideband (``call_id`` of `WebSocketTransport.connect`, or of
`RealtimeClient`) hears and controls what comes of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
import msgspec
from aiohttp import hdrs
from yarl import URL

from vivavoce.client.endpoints import credentials, environment_proxy, realtime_url, shown
from vivavoce.errors import ConnectionFailed
from vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["CALL_SECONDS", "BegunCall", "begin_call", "hang_up"]

CALL_SECONDS = 10.0
"""For an endpoint to answer an offer: it looks for its own addresses meanwhile."""

MOST_ANSWER_BYTES = 65_536
"""Of an endpoint's answer."""


@dataclass(frozen=True, slots=True)
class BegunCall:
    """A call that has begun between a caller and the endpoint."""

    answer: str
    """For the caller, as SDP."""
    call_id: str


async def begin_call(
    http: aiohttp.ClientSession,
    url: str,
    offer: str,
    params: RealtimeSessionParams,
    *,
    api_key: str | None = None,
    timeout: float = CALL_SECONDS,  # noqa: ASYNC109 - a part of the request's own errors
) -> BegunCall:
    """Offer the endpoint at ``url`` a call, as SDP, whose session begins with ``params``.

    ``url`` is as in `WebSocketTransport.connect`. Raises `ConnectionFailed`: with the status where the endpoint
    refuses, such as 400 for the offer or 404 where it takes no calls, and with the code ``timeout`` where it is late.
    """
    form = aiohttp.FormData()
    form.add_field("sdp", offer, content_type="application/sdp")
    form.add_field("session", msgspec.json.encode(params).decode(), content_type="application/json")
    async with _post(http, _calls(url), form, api_key, timeout) as response:
        text = (await response.content.read(MOST_ANSWER_BYTES)).decode(errors="replace")
        call_id = response.headers.get(hdrs.LOCATION, "").rstrip("/").rpartition("/")[2]
        if response.status != HTTPStatus.CREATED or not call_id:
            raise ConnectionFailed(
                f"{shown(response.url)} refused the call with status {response.status}: {text[:500]}",
                status=response.status,
            )
        return BegunCall(text, call_id)


async def hang_up(
    http: aiohttp.ClientSession,
    url: str,
    call_id: str,
    *,
    api_key: str | None = None,
    timeout: float = CALL_SECONDS,  # noqa: ASYNC109 - a part of the request's own errors
) -> None:
    """End a call; one that has ended is no error.

    Raises `ConnectionFailed` where the endpoint cannot be asked, and with the status where it refuses: then the call
    may go on.
    """
    async with _post(http, _calls(url) / call_id / "hangup", None, api_key, timeout) as response:
        if response.status // 100 != 2 and response.status != HTTPStatus.NOT_FOUND:
            raise ConnectionFailed(
                f"{shown(response.url)} refused to hang up with status {response.status}.",
                status=response.status,
            )


def _calls(url: str) -> URL:
    address = realtime_url(url)
    return address.with_scheme("https" if address.scheme == "wss" else "http").with_query(None) / "calls"


@asynccontextmanager
async def _post(
    http: aiohttp.ClientSession, url: URL, data: aiohttp.FormData | None, api_key: str | None, seconds: float
) -> AsyncIterator[aiohttp.ClientResponse]:
    try:
        async with http.post(
            url,
            data=data,
            headers=dict(credentials(url, api_key)),
            proxy=environment_proxy(url),
            timeout=aiohttp.ClientTimeout(total=seconds),
            allow_redirects=False,
        ) as response:
            yield response
    except TimeoutError as error:
        raise ConnectionFailed(f"{shown(url)} did not answer in {seconds:g} s.", code="timeout") from error
    except (aiohttp.ClientError, OSError) as error:
        raise ConnectionFailed(f"Cannot reach {shown(url)}: {error}.") from error
