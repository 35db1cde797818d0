"""What can be set about who may do what."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

__all__ = ["PolicySettings"]


class PolicySettings(BaseSettings):
    """The part of the gateway's settings that names its policy."""

    policy: Path | None = Field(
        None,
        description="File that says who may do what, and how much ([its fields](policy.md)); without one, whoever is "
        "let in may do everything.",
    )
