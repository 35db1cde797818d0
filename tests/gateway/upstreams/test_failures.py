import pytest

from vivavoce.errors import ConnectionFailed
from vivavoce.gateway.upstreams.failures import in_our_words


@pytest.mark.parametrize(
    ("failed", "call", "status", "code", "retry_after"),
    [
        ({}, False, 503, "upstream_unavailable", None),
        ({"code": "timeout"}, False, 504, "upstream_timeout", None),
        ({"status": 401, "code": "invalid_api_key"}, False, 502, "upstream_refused", None),
        ({"status": 404}, False, 502, "upstream_refused", None),
        ({"status": 404}, True, 404, "call_not_found", None),
        ({"status": 429, "retry_after": 9}, False, 429, "upstream_rate_limited", 9),
        ({"status": 500}, False, 503, "upstream_unavailable", None),
        ({"status": 502}, False, 502, "upstream_refused", None),
        ({"status": 503, "retry_after": 4}, True, 503, "upstream_unavailable", 4),
    ],
)
def test_what_is_told(failed, call, status, code, retry_after):
    said = in_our_words(ConnectionFailed("sk-secret at wss://inside/", **failed), call=call)
    assert (said.status, said.code, said.retry_after) == (status, code, retry_after)
    assert "secret" not in str(said)
    assert "inside" not in str(said)
