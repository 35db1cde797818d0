"""Traces for whoever collects OpenTelemetry: a span for each session, and in it one for each response.

Where they go, and how often, is told by OpenTelemetry's own variables, such as ``OTEL_EXPORTER_OTLP_ENDPOINT``.
"""

import asyncio
import threading
from collections.abc import Iterable
from contextlib import suppress

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from vivavoce import __version__
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.passage import Down, Effect, End, Stage
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.responses import Response
from vivavoce.protocol.server_events import ErrorEvent, ResponseCreated, ResponseDone

__all__ = ["FLUSH_SECONDS", "MOST_OPEN", "Traces", "Tracing"]

MOST_OPEN = 16
"""Responses of one session that may be under way; of more, the oldest is no longer followed."""

FLUSH_SECONDS = 1.5
"""What the end of the gateway waits for a collector."""

WELL = frozenset({1000, 1001})
"""Close codes of sessions that ended as sessions do."""


class Traces:
    """Makes spans, and sends them in the background."""

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        """``exporter`` takes the place of the one that OpenTelemetry's variables tell of."""
        resource = Resource.create({SERVICE_NAME: "vivavoce", SERVICE_VERSION: __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("vivavoce.gateway", __version__)

    def stage(self, opening: Opening) -> "Tracing":
        """Make the stage that traces a session."""
        return Tracing(self._tracer, opening)

    async def close(self) -> None:
        """Send what has not been sent, as far as the collector takes it within `FLUSH_SECONDS`."""
        loop, sent = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(sent.set)

        # One of the loop's own threads would keep the process, for as long as the collector is asked in vain.
        threading.Thread(target=shut_down, daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(sent.wait(), FLUSH_SECONDS)


class Tracing(Stage):
    """Traces one session. Spans have no content, and name no user."""

    wants_down = frozenset({"error", "response.created", "response.done"})

    def __init__(self, tracer: Tracer, opening: Opening) -> None:
        self._tracer = tracer
        self._session = tracer.start_span(
            "session",
            attributes={
                "vivavoce.session.id": opening.id,
                "vivavoce.dialect": opening.dialect,
                "vivavoce.line": opening.line,
                "gen_ai.request.model": opening.model,
            },
        )
        self._context = trace.set_span_in_context(self._session)
        self._responses: dict[str, Span] = {}

    def down(self, frame: Frame, now: float) -> Iterable[Effect]:  # noqa: ARG002 - spans have their own clock
        """Begin and end the spans of responses."""
        match frame.server_event():
            case ResponseCreated(response=response):
                self._begin(response)
            case ResponseDone(response=response):
                self._end(response)
            case ErrorEvent(error=error):
                self._session.add_event("error", {"error.type": error.code or error.type})
        return (Down(frame),)

    def ended(self, end: End, now: float) -> None:  # noqa: ARG002 - as above
        """End all spans that are open."""
        for span in self._responses.values():
            span.set_attribute("vivavoce.response.status", "abandoned")
            span.end()
        self._responses.clear()
        self._session.set_attribute("vivavoce.close_code", end.code)
        if end.code not in WELL:
            self._session.set_status(Status(StatusCode.ERROR))
        self._session.end()

    def _begin(self, response: Response) -> None:
        if len(self._responses) >= MOST_OPEN:
            self._responses.pop(next(iter(self._responses))).end()
        self._responses[response.id] = self._tracer.start_span("response", context=self._context)

    def _end(self, response: Response) -> None:
        span = self._responses.pop(response.id, None)
        if span is None:
            return
        span.set_attribute("vivavoce.response.status", response.status)
        if response.usage is not None:
            span.set_attribute("gen_ai.usage.input_tokens", response.usage.input_tokens)
            span.set_attribute("gen_ai.usage.output_tokens", response.usage.output_tokens)
        if response.status == "failed":
            span.set_status(Status(StatusCode.ERROR))
        span.end()
