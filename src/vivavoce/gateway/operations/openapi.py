"""What the gateway answers over HTTP, described as OpenAPI: one table, of which the document and its page are made."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from vivavoce import __version__
from vivavoce.gateway.operations.openapi_schemas import ERROR, SCHEMAS

__all__ = ["OPERATIONS", "Operation", "Parameter", "describe"]

JSON = "application/json"
SDP = "application/sdp"


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something in the address or a header."""

    name: str
    description: str
    place: str = "query"
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})

    def described(self) -> dict[str, Any]:
        """Return it as OpenAPI has it."""
        return {
            "name": self.name,
            "in": self.place,
            "required": self.place == "path",
            "description": self.description,
            "schema": self.schema,
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: what it is for, what it takes, and what it answers."""

    tag: str
    method: str
    path: str
    summary: str
    answer: str
    """What the answer is, where all is well."""
    status: int = 200
    content: str = JSON
    """The content type of that answer; empty where it has no body."""
    schema: str = ""
    """The schema of its JSON, where that is more than an object."""
    refusals: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: tuple[tuple[str, str], ...] = ()
    """What it may be sent: content types, each with the name of a schema or nothing."""
    key: bool = True
    """Whether a key or a token is needed."""

    def described(self) -> dict[str, Any]:
        """Return it as OpenAPI has it."""
        answer: dict[str, Any] = {"description": self.answer}
        if self.content:
            answer["content"] = _content([(self.content, self.schema)])
        described: dict[str, Any] = {
            "tags": [self.tag],
            "operationId": _identifier(self.method, self.path),
            "summary": self.summary,
            "responses": {str(self.status): answer},
        }
        for status in sorted({*self.refusals, *((401, 403) if self.key else (403,))}):
            described["responses"][str(status)] = {"$ref": f"#/components/responses/{ERROR}"}
        if self.parameters:
            described["parameters"] = [parameter.described() for parameter in self.parameters]
        if self.body:
            described["requestBody"] = {"required": True, "content": _content(self.body)}
        described["security"] = [{"bearer": []}, {"token": []}] if self.key else []
        return described


def _content(bodies: Iterable[tuple[str, str]]) -> dict[str, Any]:
    return {
        kind: {"schema": {"$ref": f"#/components/schemas/{schema}"} if schema else _plain(kind)}
        for kind, schema in bodies
    }


def _plain(kind: str) -> dict[str, Any]:
    return {"type": "object" if kind == JSON else "string"}


def _identifier(method: str, path: str) -> str:
    words = path.replace("{", "").replace("}", "").replace(".", "/").split("/")
    return "_".join([method.lower(), *(word for word in words if word)])


_CALL = Parameter("call_id", "The id of the call.", "path")
_ID = Parameter("id", "The gateway's id of a session.", "path")
_USER = Parameter("user_id", "Whose session it is.", "path")
_NUMBER, _SECONDS = {"type": "integer"}, {"type": "number"}
_LIMIT = Parameter(
    "limit", "How many, 1 to 100.", schema={**_NUMBER, "minimum": 1, "maximum": 100, "default": 20}
)
_CURSOR = Parameter("cursor", "`next_cursor` of the page before.")
_SINGLE = Parameter("single_use", "Make a key that opens a single session.", schema={"type": "boolean"})
_GUEST = Parameter("OpenAI-Safety-Identifier", "The user that the key is for.", "header")
_MODEL = Parameter("model", "The model to ask for.")
_SESSION = (
    _MODEL,
    Parameter(
        "intent", "`transcription`, for a session that only writes down.", schema={"enum": ["transcription"]}
    ),
    Parameter("call_id", "The call that the session is to control."),
    Parameter("resume", "The token of a session to come back to."),
    Parameter("after", "With `resume`: the id of the last event that arrived."),
)
_UPGRADE = "The WebSocket of a session, in JSON."
_VOICE = "/api/v1/streaming/realtime"
_OPEN = (400, 404, 426, 429, 502, 503, 504)
_FORM = "multipart/form-data"


def _get(tag: str, path: str, summary: str, answer: str, **more: Any) -> Operation:
    return Operation(tag, "GET", path, summary, answer, **more)


OPERATIONS: tuple[Operation, ...] = (
    _get("Sessions", "/v1/realtime", "Open a session over a WebSocket", _UPGRADE,
         status=101, content="", parameters=_SESSION, refusals=_OPEN),
    Operation("Ephemeral keys", "POST", "/v1/realtime/client_secrets", "Make an ephemeral key",
              "The key, and the session that it opens.", schema="ClientSecret",
              parameters=(_SINGLE, _GUEST), body=((JSON, "ClientSecretParams"),), refusals=(400, 413, 503)),
    Operation("Ephemeral keys", "POST", "/v1/realtime/sessions", "Make an ephemeral key, as in the beta",
              "The session, with the key in `client_secret`.",
              parameters=(_SINGLE, _GUEST), body=((JSON, ""),), refusals=(400, 413, 503)),
    Operation("Ephemeral keys", "POST", "/v1/realtime/transcription_sessions",
              "Make an ephemeral key for sessions that write down, as in the beta",
              "The session, with the key in `client_secret`.",
              parameters=(_SINGLE, _GUEST), body=((JSON, ""),), refusals=(400, 413, 503)),
    Operation("Calls", "POST", "/v1/realtime/calls", "Begin a call over WebRTC",
              "The answer to the offer; `Location` has the id of the call.", status=201, content=SDP,
              parameters=(_MODEL,), body=((SDP, ""), (_FORM, "")), refusals=(400, 404, 429, 502, 503, 504)),
    Operation("Calls", "POST", "/v1/realtime", "Begin a call over WebRTC, as in the beta",
              "The answer to the offer; `Location` has the id of the call.", status=201, content=SDP,
              parameters=(_MODEL,), body=((SDP, ""),), refusals=(400, 404, 429, 502, 503, 504)),
    Operation("Calls", "PATCH", "/v1/realtime/calls/{call_id}", "Go on over another way: an ICE restart, as in WHIP",
              "The answer to the new offer.", content=SDP,
              parameters=(_CALL,), body=((SDP, ""),), refusals=(400, 404, 409, 413, 421, 422)),
    Operation("Calls", "POST", "/v1/realtime/calls/{call_id}/hangup", "Hang up", "It is over.", content="",
              parameters=(_CALL,), refusals=(404, 421)),
    _get("Voice API", _VOICE, "Open a session of the voice API for whom the key stands for", _UPGRADE,
         status=101, content="", refusals=_OPEN),
    _get("Voice API", f"{_VOICE}/{{user_id}}", "Open a session of the voice API for a user", _UPGRADE,
         status=101, content="", parameters=(_USER,), refusals=_OPEN),
    _get("Voice API", f"{_VOICE}/status", "Whether sessions can be opened, and how many there are", "That.", key=False),
    _get("Voice API", f"{_VOICE}/health", "Whether sessions can be opened, in one word", "`healthy`.",
         key=False, refusals=(503,)),
    _get("History", "/api/v1/sessions", "List sessions", "The newest first.", schema="Sessions",
         parameters=(
             _LIMIT, _CURSOR,
             Parameter("model", "Only those of this model."),
             Parameter("state", "Only those.", schema={"enum": ["open", "ended", "abandoned"]}),
             Parameter("since", "Begun at this time or later, in seconds since 1970.", schema=_SECONDS),
             Parameter("until", "Begun before this time, in seconds since 1970.", schema=_SECONDS),
             Parameter("user", "Only those of this user, for administrators."),
         ), refusals=(400, 503)),
    _get("History", "/api/v1/sessions/{id}", "Show a session", "It, with its sums.", schema="Session",
         parameters=(_ID,), refusals=(404, 503)),
    _get("History", "/api/v1/sessions/{id}/items", "List the items of a session",
         "In the order of the conversation.", schema="Items",
         parameters=(_ID, _LIMIT, _CURSOR), refusals=(400, 404, 503)),
    _get("History", "/api/v1/sessions/{id}/export", "Export a session", "All of it, or what was said as captions.",
         parameters=(_ID, Parameter("format", "How.", schema={"enum": ["json", "webvtt"], "default": "json"})),
         refusals=(400, 404, 503)),
    _get("History", "/api/v1/sessions/{id}/recording", "Fetch the recording of a session",
         "Both sides, aligned, in stereo.", content="audio/wav", parameters=(_ID,), refusals=(404, 503)),
    Operation("History", "DELETE", "/api/v1/sessions/{id}", "Delete a session and its recording", "It is forgotten.",
              parameters=(_ID,), refusals=(404, 409, 503)),
    _get("Operations", "/health", "Whether a session could be opened now, and details", "It could.",
         key=False, refusals=(503,)),
    _get("Operations", "/ready", "Whether a balancer should send new sessions here", "It should.",
         key=False, refusals=(503,)),
    _get("Operations", "/metrics", "Read the metrics, as Prometheus does", "All of them.", content="text/plain"),
    _get("Operations", "/api", "Read this description as a page", "The page.", content="text/html", key=False),
    _get("Operations", "/api/openapi.json", "Read this description", "An OpenAPI document.", key=False),
    _get("Page", "/", "Open the page", "The page. A WebSocket of the beta is answered as at /v1/realtime.",
         content="text/html", key=False),
    _get("Page", "/web/{path}", "Fetch what the page loads", "A file.", content="*/*", key=False,
         parameters=(Parameter("path", "Its path.", "path"),), refusals=(404,)),
)  # fmt: skip
"""Every route that there may be; which of them there are depends on extras and settings."""


def describe(router: web.UrlDispatcher) -> dict[str, Any]:
    """Return the OpenAPI document of an application with these routes."""
    there: Collection[tuple[str, str]] = {
        (route.method, route.resource.canonical) for route in router.routes() if route.resource is not None
    }
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        if (operation.method, operation.path) in there:
            paths.setdefault(operation.path, {})[operation.method.lower()] = operation.described()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Viva Voce",
            "version": __version__,
            "description": "The HTTP part of the gateway. What is said in a session is the Realtime protocol.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "responses": {
                ERROR: {
                    "description": "Why not.",
                    "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{ERROR}"}}},
                }
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "token": {"type": "apiKey", "in": "query", "name": "token"},
            },
        },
    }
