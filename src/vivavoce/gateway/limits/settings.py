"""What can be set about where limits are counted."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

__all__ = ["LimitSettings"]


class LimitSettings(BaseSettings):
    """The part of the gateway's settings that says where limits are counted."""

    redis_url: SecretStr | None = Field(
        None,
        description="Where several processes keep what they share, which is limits, ephemeral keys, calls and sessions "
        "that clients may come back to: `redis://…`, `rediss://…` or `unix://…`, any server of that protocol "
        "([how](../how-to/run-several.md)). Without it, each is alone. It has no option, for it may hold a password.",
    )
