"""How the gateway logs: for people, or as one JSON object in each line. Lines name the request or session they are of.

Nothing that was said and no credential is in any line. What an exception says may quote what it failed at, so in JSON
it is told by its type and where it came from alone.
"""

import logging
import re
import secrets
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from vivavoce.gateway.operations.settings import OperationSettings

__all__ = ["REQUEST_ID_HEADER", "JsonLines", "Lines", "configure", "in_session", "names_of", "new_request"]

REQUEST_ID_HEADER = "X-Request-Id"
"""What a proxy calls a request; the answer repeats it, or says what we call it."""

_SENSIBLE = re.compile(r"[\w.:=-]{1,64}", re.ASCII)

_request: ContextVar[str] = ContextVar("request", default="")
_session: ContextVar[str] = ContextVar("session", default="")

_OF_REQUEST: web.RequestKey[dict[str, str]] = web.RequestKey("names", dict[str, str])
"""The names of a request, for its access line: that is written after its task is over."""


def new_request(request: web.Request) -> str:
    """Name a request, as its proxy does or by chance, in all that is logged of it from now on; return the name."""
    asked = request.headers.get(REQUEST_ID_HEADER, "")
    name = asked if _SENSIBLE.fullmatch(asked) else f"req_{secrets.token_hex(8)}"
    _request.set(name)
    _session.set("")
    request[_OF_REQUEST] = {"request": name}
    return name


def in_session(session_id: str, request: web.Request | None = None) -> None:
    """Name the session in all that is logged by this task, and those that it starts, from now on."""
    _session.set(session_id)
    if request is not None:
        request.get(_OF_REQUEST, {})["session"] = session_id


def names_of(request: web.BaseRequest) -> dict[str, str]:
    """Return the names of a request that is over."""
    names: dict[str, str] = request.get(_OF_REQUEST, {})
    return names


def _names(record: logging.LogRecord) -> dict[str, str]:
    facts = getattr(record, "facts", {})
    names = {"request": _request.get(), "session": _session.get()}
    return {name: facts.get(name, value) for name, value in names.items() if facts.get(name, value)}


class Lines(logging.Formatter):
    """For people: time, level, where, what, and of which session."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Add the session, or else the request."""
        names = _names(record)
        name = names.get("session") or names.get("request")
        line = super().formatMessage(record).replace("\n", "\\n").replace("\r", "\\r")
        return f"{line} [{name}]" if name else line


class JsonLines(logging.Formatter):
    """For programs: ``time``, ``level``, ``logger``, ``message``, ``request``, ``session``, and what a line adds."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_names(record),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["at"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ]
        return msgspec.json.encode(line).decode(errors="replace")


def configure(settings: OperationSettings) -> None:
    """Log to standard error as the settings say."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if settings.log_format == "json" else Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
