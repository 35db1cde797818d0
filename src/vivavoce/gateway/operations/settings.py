"""What can be set about running the gateway."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

__all__ = ["OperationSettings"]


class OperationSettings(BaseSettings):
    """The part of the gateway's settings that is for those who run it."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="What is logged; `info` has a line for each request and each session."
    )
    log_format: Literal["text", "json"] = Field(
        "text",
        description="How it is logged: for people, or as one JSON object in each line "
        "([what it has](../how-to/watch-the-gateway.md#logs)).",
    )
    metrics: Literal["own", "open", "off"] = Field(
        "own",
        description="Who may read `/metrics` without the token of the next setting: programs of this machine, "
        "everybody or nobody ([what is there](metrics.md)).",
    )
    metrics_token: SecretStr | None = Field(
        None,
        description="Token with which others may read `/metrics`, as `Authorization: Bearer TOKEN`. It has no option.",
    )
    otel: bool = Field(
        default=False,
        description="Send traces by OpenTelemetry; where to, its own variables tell ([how]"
        "(../how-to/watch-the-gateway.md#traces)).",
    )
    drain_seconds: float = Field(
        0.0,
        ge=0,
        description="How long sessions may go on after SIGTERM ([what happens](../how-to/run-the-server.md#stop-it)); "
        "by default they end at once.",
    )
    tls_cert: Path | None = Field(
        None,
        description="File with the certificate, and those between it and a known authority, in PEM: then the gateway "
        "speaks HTTPS ([how](../how-to/run-the-server.md#over-https)).",
    )
    tls_key: Path | None = Field(
        None, description="File with the key of the certificate; by default it is in the same file."
    )
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="Processes that share the port ([what they share besides](../how-to/run-the-server.md"
        "#with-several-processes)).",
    )
    workers_load_models: bool = Field(
        default=False, description="Let several processes each load the models of the built-in engine."
    )
