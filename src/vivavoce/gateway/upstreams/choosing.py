"""The upstream and the rules for its models, as the settings say."""

from collections.abc import Callable

from pydantic import SecretStr

from vivavoce.client.retrying import Reconnect
from vivavoce.errors import VivaVoceError
from vivavoce.gateway.upstream import Upstream
from vivavoce.gateway.upstreams.calls import CallRelay
from vivavoce.gateway.upstreams.enduring import EnduringUpstream
from vivavoce.gateway.upstreams.fallback import FallbackUpstream
from vivavoce.gateway.upstreams.local import Endpoint, LocalUpstream
from vivavoce.gateway.upstreams.models import Models
from vivavoce.gateway.upstreams.remote import OPENAI_URL, RemoteUpstream
from vivavoce.gateway.upstreams.settings import ENGINE, OPENAI, UpstreamSettings

__all__ = ["choose_call_relay", "choose_models", "choose_upstream"]


def choose_upstream(settings: UpstreamSettings, engine: Callable[[], Endpoint]) -> Upstream:
    """Return what the settings name, not started yet. ``engine`` makes the engine, where that is among it.

    Raises `VivaVoceError` where a key is missing that is needed for certain.
    """
    upstream = _one(settings, settings.upstream, settings.upstream_key, None, engine)
    if settings.fallback_upstream is not None:
        second = _one(
            settings, settings.fallback_upstream, settings.fallback_key, settings.fallback_model, engine
        )
        upstream = FallbackUpstream(upstream, second, most_bytes=settings.fallback_buffer_bytes)
    if settings.continuity and settings.upstream != ENGINE:
        return EnduringUpstream(upstream, Reconnect(hold=settings.continuity_hold_seconds))
    return upstream


def choose_call_relay(settings: UpstreamSettings) -> CallRelay:
    """Return what begins calls with the upstream. Raises `VivaVoceError` where that is in this process."""
    if settings.upstream == ENGINE:
        raise VivaVoceError(
            "VIVAVOCE_CALL_MEDIA: expected here, since the upstream is the engine of this process."
        )
    openai = settings.upstream == OPENAI
    key = settings.openai_api_key if openai else settings.upstream_key
    return CallRelay(
        OPENAI_URL if openai else settings.upstream,
        key=key.get_secret_value() if key else None,
        timeout=settings.upstream_timeout_seconds,
    )


def choose_models(settings: UpstreamSettings) -> Models:
    """Return the rules for the names of models."""
    return Models(
        aliases=settings.model_aliases,
        allowed=settings.allowed_models,
        default=None if settings.upstream == ENGINE else settings.openai_realtime_model,
        openai=settings.upstream == OPENAI,
    )


def _one(
    settings: UpstreamSettings,
    where: str,
    key: SecretStr | None,
    model: str | None,
    engine: Callable[[], Endpoint],
) -> Upstream:
    timeout = settings.upstream_timeout_seconds
    if where == ENGINE:
        return LocalUpstream(engine())
    if where == OPENAI:
        if not settings.openai_api_key or not settings.openai_api_key.get_secret_value():
            raise VivaVoceError("OPENAI_API_KEY: expected the key for the upstream 'openai', got none.")
        return RemoteUpstream(
            OPENAI_URL, key=settings.openai_api_key.get_secret_value(), model=model, timeout=timeout
        )
    return RemoteUpstream(where, key=key.get_secret_value() if key else None, model=model, timeout=timeout)
