"""``GET /health``: whether a session could be opened now."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import hdrs, web

from vivavoce import __version__
from vivavoce.gateway.state import GATEWAY, Gateway
from vivavoce.gateway.upstream import Reach
from vivavoce.gateway.upstreams.settings import ENGINE

__all__ = ["described", "health"]


async def health(request: web.Request) -> web.Response:
    """Answer 200 once sessions can be opened, 503 before that and when they cannot.

    The body has ``status``, ``version`` and ``sessions``, and

    - "loading": ``stage``, and ``progress`` {name, done, total} in bytes while something is fetched;
    - "ready": ``capacity``, the sessions that there may be; ``engine`` {profile, models, seconds}, with what
      loading took, where the engine is asked (its profile is "scripted" where it plays a script); and ``upstreams``
      [{address, reachable, last_failure: {at, code} or null}], where others are;
    - "unreachable": the same, when nobody answers there;
    - "draining": the same, when nobody is let in any more because the server stops;
    - "failed": ``error``, in words.
    """
    gateway = request.app[GATEWAY]
    body = await described(gateway)
    ready = body["status"] == "ready"
    response = web.Response(
        status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
        body=msgspec.json.encode(body),
        content_type="application/json",
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )
    if not ready:
        response.headers[hdrs.RETRY_AFTER] = str(gateway.settings.retry_after_seconds)
    return response


async def described(gateway: Gateway) -> dict[str, Any]:
    """Return the body of the answer."""
    reach = await gateway.upstream.reach() if gateway.loading.state == "ready" else ()
    body = _describe(gateway, reach)
    return {**body, "status": "draining"} if gateway.drain.begun else body


def _describe(gateway: Gateway, reach: Sequence[Reach]) -> dict[str, Any]:
    loading, upstream, settings = gateway.loading, gateway.upstream.status, gateway.settings
    common = {"status": loading.state, "version": __version__, "sessions": len(gateway.sessions)}
    match loading.state:
        case "loading":
            return {**common, "stage": upstream.stage, "progress": loading.progress}
        case "failed":
            return {**common, "error": loading.error}
        case "ready":
            described = {**common, "capacity": gateway.sessions.capacity}
            if reach:
                described["upstreams"] = reach
            if ENGINE in (settings.upstream, settings.fallback_upstream):
                described["engine"] = {
                    "profile": settings.engine_profile if settings.engine == "builtin" else settings.engine,
                    "models": dict(upstream.models),
                    "seconds": round(upstream.seconds, 3),
                }
            elif not any(there.reachable for there in reach):
                described["status"] = "unreachable"
            return described
