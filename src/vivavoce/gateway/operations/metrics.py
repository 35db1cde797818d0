"""What Prometheus reads: the measurements of all sessions, added up.

Every label has a bounded number of values, whatever clients and endpoints say: types of events are those of the
protocol, models those whose prices are known, and codes of errors the first `MOST_CODES` that come; all else is
``other``.
"""

import os

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from vivavoce import __version__
from vivavoce.client.prices import PRICES, undated
from vivavoce.client.usage import Tokens
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.operations.measuring import Direction, Measuring, Part
from vivavoce.gateway.passage import Counts
from vivavoce.protocol.client_events import ClientEvent
from vivavoce.protocol.server_events import ServerEvent

__all__ = ["LATENCY_BUCKETS", "MOST_CODES", "SEVERAL", "Metrics"]

LATENCY_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Seconds. Pauses in talk are noticed from 0.3 s on, and endpoints answer within 0.4 to 2 s: there they are close."""

MOST_CODES = 64
"""Different codes of errors; the protocol has about thirty."""

SEVERAL = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder where several processes count together; prometheus-client reads it."""

# When each count began: twice the size, and of no use to Prometheus.
disable_created_metrics()  # type: ignore[no-untyped-call]

_OTHER = "other"
_TYPES: dict[Direction, frozenset[str]] = {
    "up": frozenset(kind.__struct_config__.tag for kind in ClientEvent.__args__),
    "down": frozenset(kind.__struct_config__.tag for kind in ServerEvent.__args__),
}


class Metrics:
    """The metrics of one gateway, and what its sessions are measured by."""

    def __init__(self) -> None:
        self._several = os.environ.get(SEVERAL)
        self._registry = registry = CollectorRegistry()
        if not self._several:  # they tell of one process
            ProcessCollector(registry=registry)
            PlatformCollector(registry=registry)
        self._codes: set[str] = set()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"vivavoce_{name}", text, labels, registry=registry)

        build = Gauge(
            "vivavoce_build", "1, with the version.", ["version"], registry=registry, multiprocess_mode="max"
        )
        build.labels(__version__).set(1)
        self._open = Gauge(
            "vivavoce_sessions_open",
            "Sessions that are open, over a WebSocket or as a call.",
            ["line"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        for line in ("websocket", "webrtc"):
            self._open.labels(line)
        self._begun = counter("sessions", "Sessions that have begun.", "line", "dialect")
        self._ended = counter("sessions_ended", "Sessions that have ended, by close code.", "code")
        self._refusals = counter("refusals", "Requests that were refused, by the code of the error.", "code")
        self._requests = counter(
            "http_requests", "Requests by route and status.", "method", "route", "status"
        )
        self._events = counter(
            "events", "Events that have passed: up from clients, down to them.", "direction", "type"
        )
        self._seconds = Histogram(
            "vivavoce_turn_seconds",
            "From the end of the user's turn until its transcript, the response, its first text and its first audio.",
            ["part"],
            registry=registry,
            buckets=LATENCY_BUCKETS,
        )
        self._responses = counter("responses", "Responses that are done, by status.", "status")
        self._tokens = counter(
            "tokens", "Tokens: cached ones are not among the input.", "model", "direction", "modality"
        )
        self._dollars = counter(
            "cost_dollars", "What tokens cost, where the model's prices are known.", "model"
        )
        self._errors = counter("errors", "Error events that clients were sent, by code.", "code")

    def stage(self, opening: Opening, counts: Counts) -> Measuring:
        """Make the stage that measures a session."""
        return Measuring(opening, counts, self)

    def page(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics in the form that ``accept`` asks for, and its content type."""
        registry = self._registry
        if self._several:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, self._several)  # type: ignore[no-untyped-call]
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    def served(self, method: str, route: str, status: int, refused: str | None) -> None:
        """Take a request that was answered; ``refused`` is the code of a refusal."""
        self._requests.labels(method, route, status).inc()
        if refused is not None:
            self._refusals.labels(self._code(refused)).inc()

    def began(self, opening: Opening) -> None:
        """Take word of a session that begins."""
        self._open.labels(opening.line).inc()
        self._begun.labels(opening.line, opening.dialect).inc()

    def ended(self, opening: Opening, code: int) -> None:
        """Take word of a session that is over."""
        self._open.labels(opening.line).dec()
        self._ended.labels(code if code in _CLOSE_CODES else _OTHER).inc()

    def passed(self, direction: Direction, kind: str, events: int) -> None:
        """Take so many more events of a type."""
        self._events.labels(direction, kind if kind in _TYPES[direction] else _OTHER).inc(events)

    def took(self, part: Part, seconds: float) -> None:
        """Take how long somebody waited."""
        self._seconds.labels(part).observe(seconds)

    def answered(self, status: str) -> None:
        """Take word of a response that is done."""
        self._responses.labels(status if status in _STATUSES else _OTHER).inc()

    def used(self, model: str, tokens: Tokens, dollars: float | None) -> None:
        """Take what a response used, and cost where that is known."""
        model = _known(model)
        for direction, modality, many in (
            ("input", "text", tokens.text - tokens.text_cached),
            ("input", "audio", tokens.audio - tokens.audio_cached),
            ("input", "image", tokens.image - tokens.image_cached),
            ("cached", "text", tokens.text_cached),
            ("cached", "audio", tokens.audio_cached),
            ("cached", "image", tokens.image_cached),
            ("output", "text", tokens.text_output),
            ("output", "audio", tokens.audio_output),
        ):
            if many > 0:
                self._tokens.labels(model, direction, modality).inc(many)
        if dollars is not None:
            self._dollars.labels(model).inc(max(0.0, dollars))

    def transcribed(self, model: str, tokens: int) -> None:
        """Take what writing down used."""
        self._tokens.labels(_known(model), "transcription", "audio").inc(max(0, tokens))

    def erred(self, code: str) -> None:
        """Take an ``error`` event."""
        self._errors.labels(self._code(code)).inc()

    def _code(self, code: str) -> str:
        if len(self._codes) < MOST_CODES and len(code) <= MOST_CODES and code.isascii():
            self._codes.add(code)
        return code if code in self._codes else _OTHER


_CLOSE_CODES = frozenset({*range(1000, 1016), 3000, 4000, 4001})
_STATUSES = frozenset({"completed", "cancelled", "failed", "incomplete"})


def _known(model: str) -> str:
    name = undated(model)
    return name if name in PRICES else _OTHER
