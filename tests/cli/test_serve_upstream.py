import pytest

from vivavoce.cli.serve_upstream import upstream_of
from vivavoce.errors import VivaVoceError
from vivavoce.gateway import GatewaySettings
from vivavoce.gateway.upstreams.enduring import EnduringUpstream


def test_the_engine_with_the_profile_of_the_settings():
    assert upstream_of(GatewaySettings(engine_profile="small")).endpoint.profile == "small"


def test_an_endpoint_elsewhere():
    assert isinstance(
        upstream_of(GatewaySettings(upstream="wss://host.example/v1/realtime")), EnduringUpstream
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"latency_ms": 10}, r"--latency-ms .*: expected only with --engine"),
        ({"engine": "scripted"}, r"--script .*: expected the file"),
        ({"recogniser": "http://h/v1"}, r"--recogniser .*#"),
    ],
)
def test_what_cannot_be_is_told(settings, expected):
    with pytest.raises(VivaVoceError, match=expected):
        upstream_of(GatewaySettings(**settings))
