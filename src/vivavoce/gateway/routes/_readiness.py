"""Refusing what needs an endpoint while there is none."""

from http import HTTPStatus

from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.state import Gateway

__all__ = ["no_upstream", "refuse_state"]


def refuse_state(gateway: Gateway) -> Refusal | None:
    """Return why the endpoint cannot be asked now, or None where it can."""
    match gateway.loading.state:
        case "ready":
            return None
        case "loading":
            return Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"The models are still being loaded ({gateway.upstream.status.stage}). "
                "GET /health tells when they answer.",
                code="not_ready",
                type="server_error",
                retry_after=gateway.settings.retry_after_seconds,
            )
        case "failed":
            return no_upstream(f"The models could not be loaded: {gateway.loading.error}", gateway.settings)


def no_upstream(why: str, settings: GatewaySettings, *, code: str | None = None) -> Refusal:
    """Return the refusal of an endpoint that cannot be had, or that refuses by itself, with its ``code``."""
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        why,
        code=code or "upstream_unavailable",
        type="server_error",
        retry_after=settings.retry_after_seconds,
    )
