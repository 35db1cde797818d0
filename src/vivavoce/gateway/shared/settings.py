"""What can be set about what several processes know together."""

from pydantic import Field
from pydantic_settings import BaseSettings

__all__ = ["SharedSettings"]


class SharedSettings(BaseSettings):
    """The part of the gateway's settings that says how sessions are kept for other processes."""

    snapshot_seconds: float = Field(
        2.0,
        gt=0,
        description="How often a session is written to Redis while it only listens, if clients may come back; what "
        "happens in it is written at once ([how](../how-to/run-several.md)).",
    )
    snapshot_bytes: int = Field(
        2**22,
        ge=2**12,
        description="What may be written of a session; of more, what is least needed is left out.",
    )
