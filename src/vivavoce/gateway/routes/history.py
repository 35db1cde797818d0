"""``/api/v1/sessions``: the history, for those whose it is."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import hdrs, web

from vivavoce.errors import HistoryError
from vivavoce.gateway.history.changes import name
from vivavoce.gateway.history.history import History
from vivavoce.gateway.history.reader import Filter
from vivavoce.gateway.history.webvtt import webvtt
from vivavoce.gateway.opening import Caller
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.state import GATEWAY

__all__ = ["HISTORY", "MAX_LIMIT", "add_history"]

HISTORY: web.AppKey[History] = web.AppKey("history", History)
"""Where an application keeps its `History`."""

Handler = Callable[[web.Request, History, Caller], Awaitable[web.StreamResponse]]

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
"""Of sessions or items on one page."""

RETRY_SECONDS = 5
"""When to ask again for a history that cannot be read now."""

STATES = ("open", "ended", "abandoned")


def add_history(app: web.Application, history: History) -> None:
    """Start and stop ``history`` with the application, and answer for it.

    `History.stage` is to be among the application's stages.
    """
    app[HISTORY] = history

    async def start(_: web.Application) -> None:
        await history.start()

    async def stop(_: web.Application) -> None:
        await history.stop()

    app.on_startup.append(start)
    app.on_cleanup.append(stop)
    for method, path, handler in (
        (hdrs.METH_GET, "/api/v1/sessions", _list),
        (hdrs.METH_GET, "/api/v1/sessions/{id}", _show),
        (hdrs.METH_GET, "/api/v1/sessions/{id}/items", _items),
        (hdrs.METH_GET, "/api/v1/sessions/{id}/export", _export),
        (hdrs.METH_GET, "/api/v1/sessions/{id}/recording", _recording),
        (hdrs.METH_DELETE, "/api/v1/sessions/{id}", _delete),
    ):
        app.router.add_route(method, path, _answer(handler))


def _answer(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        gateway = request.app[GATEWAY]
        if gateway.settings.open_to_others and not gateway.settings.asks_for_keys:
            return _nobody().response()
        caller = await gateway.door.authenticate(request)
        if isinstance(caller, Refusal):
            return caller.response()
        try:
            return await handler(request, request.app[HISTORY], caller)
        except _Refused as refused:
            return refused.refusal.response()
        except HistoryError:  # its message names the database, which is not for everybody
            return Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The history cannot be read now.",
                code="history_unavailable",
                type="server_error",
                retry_after=RETRY_SECONDS,
            ).response()

    return answer


def _nobody() -> Refusal:
    return Refusal(
        HTTPStatus.FORBIDDEN,
        "Everybody who reaches this server is let in, as the same user, so nobody may read what others said. "
        "A server that asks for keys tells everybody their own.",
        code="history_needs_keys",
    )


class _Refused(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


async def _list(request: web.Request, history: History, caller: Caller) -> web.Response:
    query = request.query
    wanted = Filter(
        user=_name(query.get("user")) if caller.admin else caller.user,
        model=_name(query.get("model")),
        state=_one_of(request, "state", STATES),
        since=_time(request, "since"),
        until=_time(request, "until"),
    )
    if not caller.admin and query.get("user", caller.user) != caller.user:
        return _page([], None)
    try:
        page = await history.reader.sessions(wanted, limit=_limit(request), cursor=query.get("cursor"))
    except ValueError as error:
        raise _wrong("cursor", str(error)) from error
    return _page([_session(row) for row in page.data], page.next_cursor)


async def _show(request: web.Request, history: History, caller: Caller) -> web.Response:
    return _json(_session(await _find(request, history, caller)))


async def _items(request: web.Request, history: History, caller: Caller) -> web.Response:
    session = await _find(request, history, caller)
    cursor = request.query.get("cursor")
    try:
        page = await history.reader.items(session["id"], limit=_limit(request), cursor=cursor)
    except ValueError as error:
        raise _wrong("cursor", str(error)) from error
    return _page(page.data, page.next_cursor)


async def _export(request: web.Request, history: History, caller: Caller) -> web.Response:
    session = await _find(request, history, caller)
    kind = _one_of(request, "format", ("json", "webvtt")) or "json"
    items = await history.reader.all_items(session["id"])
    if kind == "webvtt":
        response = web.Response(
            text=webvtt(items, started_at=session["started_at"] or 0),
            content_type="text/vtt",
            charset="utf-8",
        )
        file = f"{session['id']}.vtt"
    else:
        responses = await history.reader.responses(session["id"])
        response = _json(
            {"object": "session.export", "session": _session(session), "items": items, "responses": responses}
        )
        file = f"{session['id']}.json"
    response.headers[hdrs.CONTENT_DISPOSITION] = f'attachment; filename="{file}"'
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    return response


async def _recording(request: web.Request, history: History, caller: Caller) -> web.StreamResponse:
    session = await _find(request, history, caller)
    path = history.recorder.path(session["recording"]) if session["recording"] else None
    if path is None or not path.is_file():
        raise _Refused(
            Refusal(
                HTTPStatus.NOT_FOUND, "There is no recording of this session.", code="recording_not_found"
            )
        )
    return web.FileResponse(
        path,
        headers={
            hdrs.CONTENT_TYPE: "audio/wav",
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{path.name}"',
            hdrs.CACHE_CONTROL: "no-store",
        },
    )


async def _delete(request: web.Request, history: History, caller: Caller) -> web.Response:
    session = await _find(request, history, caller)
    if session["state"] == "open" or not await history.forget(session["id"], session["recording"]):
        raise _Refused(
            Refusal(
                HTTPStatus.CONFLICT,
                "This session is still open: end it, then delete it.",
                code="session_open",
            )
        )
    return _json({"object": "session.deleted", "id": session["id"], "deleted": True})


async def _find(request: web.Request, history: History, caller: Caller) -> dict[str, Any]:
    """Return the session of the path. Those of others are as those that never were."""
    session_id = name(request.match_info["id"])
    found = await history.reader.session(session_id, user=None if caller.admin else caller.user)
    if found is None:
        raise _Refused(
            Refusal(HTTPStatus.NOT_FOUND, "There is no such session.", code="session_not_found", param="id")
        )
    return found


def _session(row: dict[str, Any]) -> dict[str, Any]:
    return {"object": "session", **row}


def _page(data: list[dict[str, Any]], cursor: str | None) -> web.Response:
    return _json({"object": "list", "data": data, "has_more": cursor is not None, "next_cursor": cursor})


def _json(content: Any) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(content),
        content_type="application/json",
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )


def _name(text: str | None) -> str | None:
    return None if text is None else name(text)


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT):
        raise _wrong("limit", f"Expected a number from 1 to {MAX_LIMIT}.")
    return int(text)


def _time(request: web.Request, param: str) -> float | None:
    text = request.query.get(param)
    try:
        return None if text is None else float(text)
    except ValueError:
        raise _wrong(param, "Expected seconds since 1970.") from None


def _one_of(request: web.Request, param: str, allowed: tuple[str, ...]) -> str | None:
    text = request.query.get(param)
    if text is not None and text not in allowed:
        raise _wrong(param, f"Expected one of {', '.join(allowed)}.")
    return text


def _wrong(param: str, message: str) -> _Refused:
    return _Refused(Refusal(HTTPStatus.BAD_REQUEST, message, code="invalid_value", param=param))
