"""Saying no over HTTP, before a WebSocket is accepted: a status, and OpenAI's error shape as JSON."""

from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from aiohttp import hdrs, web

__all__ = ["REFUSED", "Refusal"]

REFUSED = web.ResponseKey("refused", str)
"""Where an answer has the code of its refusal, for those who count them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served.

    ``type``, ``code`` and ``param`` are those of the protocol's ``error`` event. ``retry_after`` is in
    seconds, for a request that may be served later.
    """

    status: int
    message: str
    code: str
    type: str = "invalid_request_error"
    param: str | None = None
    retry_after: int | None = None

    def response(self) -> web.Response:
        """Return the answer: the status and ``{"error": {"message", "type", "code", "param"}}``."""
        error = {"message": self.message, "type": self.type, "code": self.code, "param": self.param}
        response = web.Response(
            status=self.status,
            body=msgspec.json.encode({"error": error}),
            content_type="application/json",
            charset="utf-8",
            headers={hdrs.CACHE_CONTROL: "no-store"},
        )
        response[REFUSED] = self.code
        if self.retry_after is not None:
            response.headers[hdrs.RETRY_AFTER] = str(self.retry_after)
        if self.status == HTTPStatus.UNAUTHORIZED:
            response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
        return response
