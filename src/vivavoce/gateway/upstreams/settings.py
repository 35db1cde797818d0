"""What the gateway stands in front of, and which models may be asked for there."""

from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode
from yarl import URL

__all__ = ["ENGINE", "OPENAI", "UpstreamSettings"]

ENGINE = "engine"
"""The engine in this process."""

OPENAI = "openai"
"""OpenAI's own endpoint."""

SCHEMES = ("ws", "wss", "http", "https")


class UpstreamSettings(BaseSettings):
    """The settings of upstreams."""

    upstream: str = Field(
        ENGINE,
        description="Where sessions are held: `engine`, in this process; `openai`; or the address of any Realtime "
        "endpoint, such as `wss://host/v1/realtime` ([how](../how-to/put-it-in-front-of-openai.md)).",
    )
    openai_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("openai_api_key"),
        description="Key for the upstream `openai`. It never leaves for anywhere else, and has no option.",
    )
    openai_realtime_model: str | None = Field(
        None,
        validation_alias=AliasChoices("openai_realtime_model"),
        description="The model of an upstream other than the engine, for clients that name none or one that is "
        "gone, such as `gpt-4o-realtime-preview`.",
    )
    upstream_key: SecretStr | None = Field(
        None, description="Key for an upstream that is given by its address. It has no option."
    )
    upstream_timeout_seconds: float = Field(
        10.0,
        gt=0,
        description="How long an upstream may take to open a session, before the client is refused with 504.",
    )
    continuity: bool = Field(
        default=True,
        description="Renew sessions of an upstream other than the engine before they end, and restore them after a "
        "drop, unseen by clients. It costs a few microseconds for each event.",
    )
    continuity_hold_seconds: float = Field(
        30.0,
        ge=0,
        description="How much of what somebody is saying is kept, to be said again to the next session of an upstream.",
    )
    fallback_upstream: str | None = Field(
        None,
        description="Who answers where the upstream fails before its first answer: `engine`, `openai` or an address.",
    )
    fallback_key: SecretStr | None = Field(
        None, description="Key for a fallback that is given by its address. It has no option."
    )
    fallback_model: str | None = Field(
        None, description="The model to ask the fallback for; by default the same as of the upstream."
    )
    fallback_buffer_bytes: int = Field(
        2**22,
        ge=2**10,
        description="What a client may say before the first answer and still be handed over to the fallback. The "
        "default holds a minute of audio.",
    )
    model_aliases: Annotated[dict[str, str], NoDecode] = Field(
        {}, description="Names that stand for other models, as `old=new`, separated by commas."
    )
    allowed_models: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="The models that may be asked for, after aliases, separated by commas; all if there is none.",
    )

    @field_validator("upstream", "fallback_upstream")
    @classmethod
    def _where(cls, value: str | None) -> str | None:
        if value is None or value in (ENGINE, OPENAI):
            return value
        try:
            address = URL(value)
        except ValueError:
            address = URL()
        if address.scheme not in SCHEMES or not address.host:
            raise ValueError(f"expected '{ENGINE}', '{OPENAI}' or an address such as wss://host/v1/realtime")
        if address.password is not None:
            raise ValueError("expected an address without a password: the key has a variable of its own")
        return value

    @field_validator("model_aliases", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        if not all(old.strip() and new.strip() for old, _, new in pairs):
            raise ValueError("expected pairs such as old=new, separated by commas")
        return {old.strip(): new.strip() for old, _, new in pairs}

    @field_validator("allowed_models", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value
