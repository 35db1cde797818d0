"""What is kept of sessions, where, and for how long."""

import os
import sys
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["HistorySettings", "data_folder"]


def data_folder() -> Path:
    """Return where this platform keeps the data of programs."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        xdg = Path(os.environ.get("XDG_DATA_HOME", ""))
        base = xdg if xdg.is_absolute() else Path.home() / ".local" / "share"
    return base / "vivavoce"


class HistorySettings(BaseSettings):
    """The settings of the history; `GatewaySettings` has them among its own."""

    model_config = SettingsConfigDict(env_prefix="VIVAVOCE_", frozen=True, extra="ignore")

    history: Literal["off", "text", "audio"] = Field(
        "text",
        description="What is kept of sessions: nothing, what was said in writing, or a recording as well "
        "([how](../how-to/keep-a-history.md)).",
    )
    history_database: SecretStr | None = Field(
        None,
        description="Where it is kept: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`. By default the file "
        "`history.db` in the folder of the next setting. It has no option: others could read the password there.",
    )
    history_folder: Path | None = Field(
        None,
        description="Folder of the history and of the recordings; by default `vivavoce` in this platform's folder for "
        "data (`~/.local/share` on Linux).",
    )
    history_days: float = Field(
        30, ge=0, description="Days after which a session is forgotten; 0 keeps it until somebody deletes it."
    )

    @property
    def history_home(self) -> Path:
        """The folder of the history, as it is settled."""
        return (self.history_folder or data_folder()).expanduser()

    @property
    def history_url(self) -> str:
        """The database, as SQLAlchemy names it. Holds a password, perhaps."""
        if self.history_database is None:
            return f"sqlite:///{self.history_home / 'history.db'}"
        return self.history_database.get_secret_value()
