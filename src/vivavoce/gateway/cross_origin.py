"""What pages of other origins are told, so that their browsers let them read the answers. Pure.

The doorkeeper decides which origins are let in; here stands how a browser is told so [Fetch standard, "CORS
protocol"]. No cookie is ever used, so credentials are not allowed.
"""

from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import hdrs, web

__all__ = ["answer_preflight", "is_preflight", "shared_with"]

METHODS = "GET, POST, PATCH, DELETE"
HEADERS = "Authorization, Content-Type, OpenAI-Beta, OpenAI-Safety-Identifier, X-OpenAI-Agents-SDK"
"""What OpenAI's own packages send from a page, too."""
READABLE = "Location, Retry-After, Vivavoce-Resume-Token"
MAX_AGE_SECONDS = 600
"""How long a browser remembers what it was allowed; Chromium's own limit is 7200."""


def shared_with(origin: str) -> dict[str, str]:
    """Return the headers that let pages of this origin, which is welcome, read an answer."""
    return {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin, hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: READABLE}


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a browser asks what a page may do, before it does so."""
    return method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in headers


def answer_preflight() -> web.Response:
    """Say what pages may do that are let in."""
    return web.Response(
        status=HTTPStatus.NO_CONTENT,
        headers={
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: METHODS,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: HEADERS,
            hdrs.ACCESS_CONTROL_MAX_AGE: str(MAX_AGE_SECONDS),
        },
    )
