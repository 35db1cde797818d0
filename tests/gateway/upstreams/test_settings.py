import pytest
from pydantic import ValidationError

from vivavoce.gateway.settings import GatewaySettings


@pytest.mark.parametrize(
    "where", ["engine", "openai", "wss://host/v1", "http://host:8000", "https://n.openai.azure.com/openai/v1"]
)
def test_an_upstream_is_a_name_or_an_address(monkeypatch, where):
    monkeypatch.setenv("VIVAVOCE_UPSTREAM", where)
    assert GatewaySettings().upstream == where
    assert GatewaySettings(fallback_upstream=where).fallback_upstream == where


@pytest.mark.parametrize(
    "where", ["", "azure", "host:8000", "ftp://host", "wss://", "wss://user:pass@host", "http://[x"]
)
def test_nothing_else_is(where):
    with pytest.raises(ValidationError, match="expected"):
        GatewaySettings(upstream=where)


def test_the_names_that_a_provider_gave_are_read(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("OPENAI_REALTIME_MODEL", "gpt-realtime-2")
    settings = GatewaySettings()
    assert settings.openai_api_key.get_secret_value() == "sk-1"
    assert settings.openai_realtime_model == "gpt-realtime-2"
    assert "sk-1" not in repr(settings)


def test_aliases_are_pairs(monkeypatch):
    monkeypatch.setenv("VIVAVOCE_MODEL_ALIASES", "a=b, c = d,")
    assert GatewaySettings().model_aliases == {"a": "b", "c": "d"}
    for wrong in ("a", "a=", "=b"):
        with pytest.raises(ValidationError, match="expected pairs such as old=new"):
            GatewaySettings(model_aliases=wrong)


def test_allowed_models_are_names(monkeypatch):
    monkeypatch.setenv("VIVAVOCE_ALLOWED_MODELS", "a, b,")
    assert GatewaySettings().allowed_models == ("a", "b")
