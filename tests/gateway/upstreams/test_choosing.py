import pytest

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.upstreams.choosing import choose_models, choose_upstream
from vivavoce.gateway.upstreams.enduring import EnduringUpstream
from vivavoce.gateway.upstreams.fallback import FallbackUpstream
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.gateway.upstreams.remote import OPENAI_URL, RemoteUpstream

ENGINE = object()


def _choose(**settings):
    return choose_upstream(GatewaySettings(**{"continuity": False, **settings}), lambda: ENGINE)


def test_the_engine_unless_told_otherwise():
    upstream = _choose()
    assert isinstance(upstream, LocalUpstream)
    assert upstream.endpoint is ENGINE


def test_openai_with_its_key():
    upstream = _choose(upstream="openai", openai_api_key="sk-1")
    assert isinstance(upstream, RemoteUpstream)
    assert upstream.address == OPENAI_URL


@pytest.mark.parametrize("key", [None, ""])
@pytest.mark.parametrize("role", ["upstream", "fallback_upstream"])
def test_openai_without_a_key(role, key):
    with pytest.raises(VivaVoceError, match="OPENAI_API_KEY: expected the key"):
        _choose(**{role: "openai", "openai_api_key": key})


@pytest.mark.parametrize("address", ["wss://host/v1/realtime?a=b", "https://host/v1", "http://u@host"])
def test_any_address(address):
    upstream = _choose(upstream=address)
    assert isinstance(upstream, RemoteUpstream)
    assert upstream.address.split("://")[1].startswith("host/v1")


def test_two_of_them():
    assert isinstance(_choose(upstream="ws://host", fallback_upstream="engine"), FallbackUpstream)


def test_models_of_the_engine_are_called_as_clients_like():
    models = choose_models(GatewaySettings(openai_realtime_model="gpt-realtime-2"))
    assert models.default is None
    assert models.resolve("gpt-4o-realtime-preview").model == "gpt-4o-realtime-preview"


def test_models_of_others_follow_the_settings():
    settings = GatewaySettings(
        upstream="openai", openai_realtime_model="gpt-realtime-2", model_aliases="a=b", allowed_models="b"
    )
    models = choose_models(settings)
    assert (models.default, models.resolve("a").model) == ("gpt-realtime-2", "b")


def test_sessions_elsewhere_endure_unless_told_otherwise():
    assert isinstance(_choose(upstream="ws://host", continuity=True), EnduringUpstream)
    assert isinstance(_choose(continuity=True), LocalUpstream)
