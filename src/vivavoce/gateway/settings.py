"""Everything about the gateway that can be set: by an option, else by the environment, else as here."""

import re
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from vivavoce.gateway.auth.settings import AuthSettings
from vivavoce.gateway.history.settings import HistorySettings
from vivavoce.gateway.limits.settings import LimitSettings
from vivavoce.gateway.loopback import is_loopback
from vivavoce.gateway.operations.settings import OperationSettings
from vivavoce.gateway.policy.settings import PolicySettings
from vivavoce.gateway.resume.settings import ResumeSettings
from vivavoce.gateway.server_tools.settings import ServerToolSettings
from vivavoce.gateway.shared.settings import SharedSettings
from vivavoce.gateway.upstreams.settings import UpstreamSettings

__all__ = ["GatewaySettings"]

Names = Annotated[tuple[str, ...], NoDecode]
"""Several names in one environment variable, separated by commas."""

_ORIGIN = re.compile(r"(?:https?|wss?)://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.IGNORECASE)


class GatewaySettings(
    AuthSettings,
    HistorySettings,
    LimitSettings,
    OperationSettings,
    PolicySettings,
    ResumeSettings,
    ServerToolSettings,
    SharedSettings,
    UpstreamSettings,
):
    """The gateway's settings. Each is read from ``VIVAVOCE_`` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="VIVAVOCE_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes any that is free.")
    insecure_open: bool = Field(
        default=False,
        description="Listen on an address that other machines can reach, though nobody is asked for a key.",
    )
    engine: Literal["builtin", "scripted"] = Field(
        "builtin",
        description="What answers: the models of this machine, or a script ([how](../how-to/test-your-app.md)).",
    )
    script: str | None = Field(
        None, description="File with the script that the scripted engine plays ([its fields](script.md))."
    )
    latency_ms: float | None = Field(
        None,
        ge=0,
        description="How long every event is under way in each direction, with the scripted engine; by default what "
        "its script says.",
    )
    beta_latency_ms: float = Field(
        20.0,
        ge=0,
        le=1000,
        description="How much later what clients of the beta send reaches the endpoint: some ask before they listen "
        "([why](dialects.md#answers-that-come-too-soon)).",
    )
    engine_profile: Literal["default", "compact", "small"] = Field(
        "default", description="Which models the built-in engine loads."
    )
    language_model: str | None = Field(
        None,
        description="What thinks, instead of the profile's: a name of ours, `http://host:port/v1#model`, "
        "`hub:org/repo/file.gguf` or a path ([how](../how-to/use-other-models.md)).",
    )
    language_model_key: SecretStr | None = Field(
        None,
        description="Key for the server of the language model. It has no option: others could read it there.",
    )
    recogniser: str | None = Field(
        None,
        description="What hears, instead of the profile's: a name of ours, `http://host:port/v1#model`, "
        "`wyoming://host:port`, `hub:org/repo` or a path.",
    )
    recogniser_key: SecretStr | None = Field(None, description="Key for the server of the recogniser.")
    synthesiser: str | None = Field(
        None,
        description="What speaks, instead of the profile's: `kokoro`, `http://host:port/v1?voice=name#model`, "
        "`wyoming://host:port?voice=name`, `hub:org/repo` or a path.",
    )
    synthesiser_key: SecretStr | None = Field(None, description="Key for the server of the synthesiser.")
    allowed_origins: Names = Field(
        (),
        description="Web origins, such as `https://home.example:8123`, whose pages may use the gateway, "
        "beside its own. Separated by commas.",
    )
    allowed_hosts: Names = Field(
        (),
        description="Host names, without port, under which the gateway may be addressed, "
        "beside those of this machine. Separated by commas.",
    )
    direct_origins: Names = Field(
        ("https://api.openai.com", "wss://api.openai.com"),
        description="Origins that the console may connect to by itself, with a key that its user enters there; "
        "browsers keep it from all others. Empty forbids it. Separated by commas.",
    )
    ice_servers: Names = Field(
        (),
        repr=False,  # it holds passwords
        description="Servers that help calls to come about, such as `stun:stun.example:3478` and "
        "`turn:user:password@turn.example:3478`. Separated by commas.",
    )
    public_address: str | None = Field(
        None,
        description="Address under which callers reach this machine, where a NAT stands before it, as with most "
        "rented servers; one that changes ports wants `VIVAVOCE_CALL_PORT` too.",
    )
    call_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="The one UDP port that all calls come through, where a firewall or a container lets no others in; "
        "0 takes any that is free. By default each call has ports of its own. It wants `VIVAVOCE_PUBLIC_ADDRESS` where "
        "`VIVAVOCE_HOST` is `0.0.0.0`, and is not for several `VIVAVOCE_WORKERS`.",
    )
    call_media: Literal["auto", "here", "upstream"] = Field(
        "auto",
        description="Where the speech of calls goes: `here`, through the gateway, whose policy then holds for every "
        "event; `upstream`, straight between browser and endpoint, while the gateway listens and can hang up. `auto` "
        "is `upstream` for one across a network where there is no policy, which could not hold there.",
    )
    max_sessions: int | None = Field(
        None,
        ge=1,
        description="Sessions at one time; one more is refused with 503. By default, and at the most, what the "
        "endpoint holds in real time: the engine measures that at its start; 16 where the endpoint does not say.",
    )
    max_message_bytes: int = Field(
        20 * 2**20 + 2**16,
        ge=2**10,
        description="Longest event of a client. The default holds one append of 15 MiB of audio in base64.",
    )
    max_body_bytes: int = Field(
        2**17, ge=2**10, description="Longest body of a request over HTTP; a longer one is refused with 413."
    )
    max_client_secrets: int = Field(
        1000,
        ge=1,
        description="Ephemeral keys in force at one time; one more is refused with 503, until the next expires.",
    )
    send_buffer_bytes: int = Field(
        2**18,
        ge=2**10,
        description="What may wait in the gateway for a client that reads slowly, before its session waits.",
    )
    send_timeout_seconds: float = Field(
        10.0, gt=0, description="How long a client may stop reading before its session is closed with 1008."
    )
    close_timeout_seconds: float = Field(
        2.0, gt=0, description="How long a closed connection may take to say goodbye before it is cut."
    )
    heartbeat_seconds: float = Field(
        20.0,
        gt=0,
        description="Seconds of silence before a ping; a client that does not answer within half of that is gone.",
    )
    retry_after_seconds: int = Field(
        5, ge=1, description="What `Retry-After` says to a client that is refused for now."
    )
    shutdown_seconds: float = Field(
        4.0, gt=0, description="How long stopping may take before what still runs is cut off."
    )

    @field_validator("allowed_origins", "allowed_hosts", "direct_origins", "ice_servers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip().rstrip("/") for name in value.split(",") if name.strip())
        return value

    @field_validator("direct_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"expected an origin such as wss://api.example, got {origin!r}")
        return origins

    @property
    def open_to_others(self) -> bool:
        """Whether other machines can reach the address that the gateway listens on."""
        return not is_loopback(self.host)
