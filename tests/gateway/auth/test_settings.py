from pathlib import Path

import pytest

from vivavoce.gateway.settings import GatewaySettings


@pytest.mark.parametrize(
    ("settings", "asks"),
    [
        ({}, False),
        ({"token": "x"}, False),
        ({"keys_file": "keys.json"}, True),
        ({"jwt_secret": "x"}, True),
        ({"jwt_keys": "jwks.json"}, True),
    ],
)
def test_keys_are_asked_for_where_there_are_any(settings, asks):
    assert GatewaySettings(**settings).asks_for_keys is asks


def test_secrets_are_not_shown(monkeypatch):
    monkeypatch.setenv("VIVAVOCE_TOKEN", "a-token-of-mine")
    monkeypatch.setenv("VIVAVOCE_JWT_SECRET", "a-secret-of-mine")
    settings = GatewaySettings(keys_file="keys.json")
    assert "of-mine" not in repr(settings)
    assert settings.keys_file == Path("keys.json")
