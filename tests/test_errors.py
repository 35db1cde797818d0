import inspect
import re

import pytest

from vivavoce import errors
from vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError, VivaVoceError

CLASSES = [getattr(errors, name) for name in errors.__all__]


class TestTree:
    def test_the_picture_shows_every_error_under_its_parent(self):
        parents = {}
        path = []
        for line in inspect.getdoc(errors).replace("\n    ", "\n").splitlines():
            if drawn := re.match(
                r"([ │├└─]*)(\w+(?:Error|Failed|Lost|Unavailable|Corrupt|TooShort))\b", line
            ):
                depth = len(drawn[1]) // 4
                path[depth:] = [drawn[2]]
                parents[drawn[2]] = path[depth - 1] if depth else "Exception"
        assert {name: parents[name] for name in errors.__all__ if name != "VivaVoceError"} == {
            kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES if kind is not VivaVoceError
        }

    @pytest.mark.parametrize("kind", CLASSES)
    def test_one_except_catches_all_of_ours(self, kind):
        assert issubclass(kind, VivaVoceError)


class TestFacts:
    def test_a_protocol_error_has_what_an_error_event_needs(self):
        error = ProtocolError("Unknown parameter: 'x'.", code="unknown_parameter", param="x", event_id="e1")
        assert (error.type, error.code, error.param, error.event_id) == (
            "invalid_request_error",
            "unknown_parameter",
            "x",
            "e1",
        )
        assert str(error) == error.message == "Unknown parameter: 'x'."

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (ConnectionLost(1001, "too long"), "the endpoint closed the connection (1001: too long)"),
            (ConnectionLost(1006), "the endpoint closed the connection (1006)"),
        ],
    )
    def test_a_lost_connection_tells_code_and_reason(self, error, said):
        assert str(error) == said

    def test_a_failed_connection_tells_the_status_where_there_was_one(self):
        assert ConnectionFailed("refused", status=403).status == 403
        assert ConnectionFailed("nobody there").status is None

    def test_a_failed_connection_tells_the_code_where_there_was_one(self):
        assert (
            ConnectionFailed("full", status=503, code="session_limit_reached").code == "session_limit_reached"
        )
        assert ConnectionFailed("nobody there").code is None
