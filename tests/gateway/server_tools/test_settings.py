import pytest
from pydantic import ValidationError

from vivavoce.gateway.settings import GatewaySettings


def test_names_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("VIVAVOCE_TOOLS", "weather, memory")
    monkeypatch.setenv("VIVAVOCE_MCP_SERVERS", "home=http://127.0.0.1:1/mcp?token=of-mine")
    settings = GatewaySettings()
    assert settings.tools == ("weather", "memory")
    assert settings.mcp_servers == ("home=http://127.0.0.1:1/mcp?token=of-mine",)
    assert "of-mine" not in repr(settings)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"tools": "wether"}, "expected weather or memory, got 'wether'"),
        ({"mcp_servers": "https://tools.example"}, "expected name=https://"),
        ({"mcp_servers": "a=file:///etc/passwd"}, "expected name=https://"),
    ],
)
def test_what_there_is_not_is_refused(wrong, says):
    with pytest.raises(ValidationError, match=says):
        GatewaySettings(**wrong)
