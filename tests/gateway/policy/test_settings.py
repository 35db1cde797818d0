from pathlib import Path

from vivavoce.gateway.settings import GatewaySettings


def test_the_policy_is_a_file(monkeypatch):
    assert GatewaySettings().policy is None
    monkeypatch.setenv("VIVAVOCE_POLICY", "policy.yaml")
    assert GatewaySettings().policy == Path("policy.yaml")
