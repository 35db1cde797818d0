"""What can be set about where limits are counted."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

__all__ = ["LimitSettings"]


class LimitSettings(BaseSettings):
    """The part of the gateway's settings that says where limits are counted."""

    redis_url: SecretStr | None = Field(
        None,
        description="Where all processes count together what users have: `redis://…`, `rediss://…` or `unix://…`, "
        "any server of that protocol. Without it, each process counts for itself. It has no option, for it may hold a "
        "password.",
    )
