import pytest


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch):
    """Let peers meet on loopback, and nowhere else."""
    monkeypatch.setattr(
        "aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"] if use_ipv4 else []
    )
