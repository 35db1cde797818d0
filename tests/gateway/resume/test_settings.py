import pytest
from pydantic import ValidationError

from vivavoce.gateway.settings import GatewaySettings


def test_nobody_comes_back_unless_told_so(monkeypatch):
    assert GatewaySettings().resume_seconds == 0
    monkeypatch.setenv("VIVAVOCE_RESUME_SECONDS", "60")
    assert GatewaySettings().resume_seconds == 60


def test_time_does_not_run_backwards():
    with pytest.raises(ValidationError):
        GatewaySettings(resume_seconds=-1)
