"""What answers the sessions of ``vivavoce serve``, as its settings say."""

from typing import TYPE_CHECKING

from vivavoce.cli.serve_options import option
from vivavoce.errors import VivaVoceError
from vivavoce.gateway import GatewaySettings
from vivavoce.gateway.upstream import Upstream
from vivavoce.gateway.upstreams.choosing import choose_upstream
from vivavoce.gateway.upstreams.local import Endpoint

if TYPE_CHECKING:
    from vivavoce.engine.profiles import Profile

__all__ = ["profile_of", "upstream_of"]


def upstream_of(settings: GatewaySettings) -> Upstream:
    """Return what the settings name, not started yet. Raises `VivaVoceError` when that cannot be."""
    return choose_upstream(
        settings, lambda: _scripted(settings) if settings.engine == "scripted" else _engine(settings)
    )


def _engine(settings: GatewaySettings) -> Endpoint:
    """Return the engine with the models of the settings."""
    for name in ("script", "latency_ms"):
        if getattr(settings, name) is not None:
            raise VivaVoceError(f"{option(name)}: expected only with {option('engine')} scripted.")
    from vivavoce.engine.engine import Engine  # noqa: PLC0415 - heavy, and an extra: only who serves it loads it

    return Engine(settings.engine_profile, load=profile_of(settings).load)


def profile_of(settings: GatewaySettings) -> "Profile":
    """Return the models of the settings. Raises `VivaVoceError` where one of them is wrong."""
    from vivavoce.engine.choices import Choice, Part, parse  # noqa: PLC0415
    from vivavoce.engine.profiles import PROFILES  # noqa: PLC0415

    parts: tuple[Part, ...] = ("language_model", "recogniser", "synthesiser")
    chosen: dict[Part, Choice] = {}
    for part in parts:
        if text := getattr(settings, part):
            key = getattr(settings, f"{part}_key")
            try:
                chosen[part] = parse(part, text, key.get_secret_value() if key else "")
            except VivaVoceError as error:
                raise VivaVoceError(f"{option(part)}: {error}.") from error
    return PROFILES[settings.engine_profile].with_parts(chosen)


def _scripted(settings: GatewaySettings) -> Endpoint:
    """Return the engine that plays the script of the settings."""
    from vivavoce.testing.engine import ScriptedEngine  # noqa: PLC0415 - an extra: only who serves it loads it
    from vivavoce.testing.script import Latency  # noqa: PLC0415

    if settings.script is None:
        raise VivaVoceError(
            f"{option('script')}: expected the file that the scripted engine plays, got none."
        )
    latency = None if settings.latency_ms is None else Latency(settings.latency_ms, settings.latency_ms)
    try:
        return ScriptedEngine(settings.script, latency=latency)
    except VivaVoceError as error:
        raise VivaVoceError(f"{option('script')}: {error}") from error
