import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.gateway.operations.test_measuring import opening
from vivavoce.client.usage import Tokens
from vivavoce.gateway.operations.metrics import MOST_CODES, Metrics


def samples(metrics):
    """Return every sample, by its name and the values of its labels, sorted."""
    page, content_type = metrics.page("")
    assert content_type.startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


@pytest.fixture
def metrics():
    return Metrics()


def test_sessions(metrics):
    metrics.began(opening())
    metrics.began(opening())
    metrics.ended(opening(), 1001)
    found = samples(metrics)
    assert found["vivavoce_sessions_open", "websocket"] == 1
    assert found["vivavoce_sessions_open", "webrtc"] == 0
    assert found["vivavoce_sessions_total", "ga", "websocket"] == 2
    assert found["vivavoce_sessions_ended_total", "1001"] == 1


def test_tokens_are_counted_once_and_cost_by_model(metrics):
    metrics.used("gpt-realtime-2.1-2026-09-01", Tokens(audio=10, audio_cached=4, text_output=3), 0.25)
    metrics.used("my-own", Tokens(text=2), None)
    found = samples(metrics)
    assert found["vivavoce_tokens_total", "audio", "gpt-realtime-2.1", "input"] == 6
    assert found["vivavoce_tokens_total", "audio", "cached", "gpt-realtime-2.1"] == 4
    assert found["vivavoce_tokens_total", "gpt-realtime-2.1", "output", "text"] == 3
    assert found["vivavoce_tokens_total", "input", "other", "text"] == 2
    assert found["vivavoce_cost_dollars_total", "gpt-realtime-2.1"] == 0.25
    assert ("vivavoce_cost_dollars_total", "other") not in found


def test_no_label_grows_with_what_others_say(metrics):
    for number in range(3 * MOST_CODES):
        metrics.erred(f"code_{number}")
        metrics.passed("up", f"type_{number}", 1)
        metrics.used(f"gpt-realtime-2.1-{2000 + number}-01-01", Tokens(text=1), None)
        metrics.answered(f"status_{number}")
        metrics.ended(opening(), 4000 + number)
    found = samples(metrics)
    assert len([key for key in found if key[0] == "vivavoce_errors_total"]) == MOST_CODES + 1
    assert found["vivavoce_events_total", "other", "up"] == 3 * MOST_CODES
    assert found["vivavoce_tokens_total", "gpt-realtime-2.1", "input", "text"] == 3 * MOST_CODES
    assert len([key for key in found if key[0] == "vivavoce_sessions_ended_total"]) <= 3


def test_types_of_the_protocol_have_their_own_names(metrics):
    metrics.passed("up", "input_audio_buffer.append", 25)
    metrics.passed("down", "response.output_audio.delta", 50)
    found = samples(metrics)
    assert found["vivavoce_events_total", "input_audio_buffer.append", "up"] == 25
    assert found["vivavoce_events_total", "down", "response.output_audio.delta"] == 50


def test_refusals_and_requests(metrics):
    metrics.served("GET", "/v1/realtime", 429, "rate_limit_exceeded")
    metrics.served("GET", "/health", 200, None)
    found = samples(metrics)
    assert found["vivavoce_refusals_total", "rate_limit_exceeded"] == 1
    assert found["vivavoce_http_requests_total", "/health", "200", "GET"] == 1


def test_the_form_is_the_one_that_is_asked_for(metrics):
    page, content_type = metrics.page("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert page.endswith(b"# EOF\n")


def test_the_reference_tells_of_each(metrics):
    page = (Path(__file__).parents[3] / "docs" / "reference" / "metrics.md").read_text()
    told = re.findall(r"^\| `vivavoce_(\w+)`", page, re.MULTILINE)
    there = re.findall(r"^# TYPE vivavoce_(\w+) ", metrics.page("")[0].decode(), re.MULTILINE)
    assert sorted(told) == sorted(there)
