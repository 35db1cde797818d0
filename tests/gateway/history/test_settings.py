from pathlib import Path

import pytest
from pydantic import ValidationError

from vivavoce.gateway.history.settings import HistorySettings, data_folder


def test_text_is_kept_for_thirty_days_in_a_file_of_this_user(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("VIVAVOCE_HISTORY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    settings = HistorySettings()
    assert (settings.history, settings.history_days) == ("text", 30)
    assert settings.history_url == f"sqlite:///{tmp_path / 'vivavoce' / 'history.db'}"


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", ".local/share/vivavoce"),
        ("darwin", "Library/Application Support/vivavoce"),
        ("win32", "AppData/Local/vivavoce"),
    ],
)
def test_every_platform_has_its_folder(monkeypatch, platform, expected):
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", platform)
    assert data_folder() == Path.home() / expected


def test_a_relative_folder_of_the_desktop_does_not_count(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "somewhere")
    assert data_folder() == Path.home() / ".local/share/vivavoce"


def test_the_folder_can_be_chosen():
    assert HistorySettings(history_folder="~/voice").history_home == Path.home() / "voice"


def test_a_password_is_not_shown():
    settings = HistorySettings(history_database="postgresql://ada:hidden@db/voice")
    assert "hidden" not in repr(settings)
    assert settings.history_url == "postgresql://ada:hidden@db/voice"


@pytest.mark.parametrize("wrong", [{"history": "everything"}, {"history_days": -1}])
def test_others_are_refused(wrong):
    with pytest.raises(ValidationError):
        HistorySettings(**wrong)
