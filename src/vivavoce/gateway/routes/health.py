"""``GET /health``: whether a session could be opened now."""

from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import hdrs, web

from vivavoce import __version__
from vivavoce.gateway.state import GATEWAY, Gateway

__all__ = ["health"]


async def health(request: web.Request) -> web.Response:
    """Answer 200 once the models do, 503 before that and when they failed.

    The body has ``status``, ``version`` and ``sessions``, and

    - "loading": ``stage``, and ``progress`` {name, done, total} in bytes while something is fetched;
    - "ready": ``capacity``, the sessions that there may be, and ``engine`` {profile, models, seconds}, with what
      loading took; its profile is "scripted" where it plays a script;
    - "failed": ``error``, in words.
    """
    gateway = request.app[GATEWAY]
    ready = gateway.loading.state == "ready"
    response = web.Response(
        status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
        body=msgspec.json.encode(_describe(gateway)),
        content_type="application/json",
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )
    if not ready:
        response.headers[hdrs.RETRY_AFTER] = str(gateway.settings.retry_after_seconds)
    return response


def _describe(gateway: Gateway) -> dict[str, Any]:
    loading, upstream, settings = gateway.loading, gateway.upstream.status, gateway.settings
    common = {"status": loading.state, "version": __version__, "sessions": len(gateway.sessions)}
    match loading.state:
        case "loading":
            return {**common, "stage": upstream.stage, "progress": loading.progress}
        case "failed":
            return {**common, "error": loading.error}
        case "ready":
            engine = {
                "profile": settings.engine_profile if settings.engine == "builtin" else settings.engine,
                "models": dict(upstream.models),
                "seconds": round(upstream.seconds, 3),
            }
            return {**common, "capacity": gateway.sessions.capacity, "engine": engine}
