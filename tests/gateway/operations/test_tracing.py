import asyncio
import sys
import threading

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.gateway.doubles import ScriptedUpstream, gateway
from tests.gateway.operations.test_measuring import USAGE, done, opening, says
from vivavoce.errors import VivaVoceError
from vivavoce.gateway import GatewaySettings, create_app
from vivavoce.gateway.operations.tracing import MOST_OPEN, Traces
from vivavoce.gateway.passage import End, Passage


@pytest.fixture
async def traced():
    """Return the passage of a session, and a function for the spans once it is over."""
    exporter = InMemorySpanExporter()
    traces = Traces(exporter)
    passage = Passage([traces.stage(opening())])

    async def spans(code=1000):
        passage.ended(End(code), 9.0)
        await traces.close()
        return exporter.get_finished_spans()

    return passage, spans


async def test_a_session_and_its_responses(traced):
    passage, spans = traced
    says(passage, 0.0, "response.created", **done(status="in_progress"))
    says(passage, 1.0, "response.done", **done(usage=USAGE))
    response, session = await spans()
    assert (session.name, response.name) == ("session", "response")
    assert response.parent.span_id == session.context.span_id
    assert session.attributes["vivavoce.session.id"] == "sess_1"
    assert session.attributes["vivavoce.close_code"] == 1000
    assert response.attributes["vivavoce.response.status"] == "completed"
    assert response.attributes["gen_ai.usage.output_tokens"] == 10
    assert session.status.status_code is response.status.status_code is StatusCode.UNSET
    assert session.resource.attributes["service.name"] == "vivavoce"


async def test_what_went_wrong(traced):
    passage, spans = traced
    says(passage, 0.0, "response.created", **done(status="in_progress"))
    says(passage, 1.0, "response.done", **done(status="failed"))
    error = {"type": "server_error", "code": "broken", "message": "somebody said hunter2"}
    says(passage, 1.0, "error", error=error)
    response, session = await spans(1011)
    assert response.status.status_code is session.status.status_code is StatusCode.ERROR
    assert [dict(event.attributes) for event in session.events] == [{"error.type": "broken"}]
    assert "hunter2" not in session.to_json()


async def test_a_response_that_the_end_cut_off(traced):
    passage, spans = traced
    says(passage, 0.0, "response.created", **done(status="in_progress"))
    response, _ = await spans()
    assert response.attributes["vivavoce.response.status"] == "abandoned"


async def test_an_endpoint_that_never_ends_any_costs_a_bounded_amount(traced):
    passage, spans = traced
    for number in range(3 * MOST_OPEN):
        says(passage, 0.0, "response.created", **done(id=f"resp_{number}", status="in_progress"))
    abandoned = [
        span for span in await spans() if span.attributes.get("vivavoce.response.status") == "abandoned"
    ]
    assert len(abandoned) == MOST_OPEN


async def test_a_collector_that_does_not_answer_keeps_nobody(monkeypatch):
    monkeypatch.setattr("vivavoce.gateway.operations.tracing.FLUSH_SECONDS", 0.01)
    asked, answered = threading.Event(), threading.Event()

    class Slow(InMemorySpanExporter):
        def export(self, spans):
            asked.set()
            answered.wait(30)
            return super().export(spans)

    traces = Traces(Slow())
    traces.stage(opening()).ended(End(1000), 0.0)
    await traces.close()
    assert not answered.is_set()
    answered.set()
    assert await asyncio.to_thread(asked.wait, 30)


async def test_the_gateway_traces_where_it_is_told_to(monkeypatch):
    exporter = InMemorySpanExporter()
    monkeypatch.setattr("vivavoce.gateway.operations.tracing.OTLPSpanExporter", lambda: exporter)
    async with gateway(otel=True) as running, running.connect() as ws:
        await ws.receive()
        await ws.close()
        await running.sessions.emptied()
    [session] = exporter.get_finished_spans()
    assert session.attributes["gen_ai.request.model"] == "gpt-realtime"


def test_what_is_missing_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "vivavoce.gateway.operations.tracing", raising=False)
    with pytest.raises(VivaVoceError, match=r"pip install 'vivavoce\[otel\]'"):
        create_app(GatewaySettings(otel=True), ScriptedUpstream())
