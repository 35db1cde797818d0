"""What is shared with other processes, where the settings name a place for it."""

from typing import TYPE_CHECKING

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.bridge import Bridge
from vivavoce.gateway.calls import Calls
from vivavoce.gateway.limits.settings import LimitSettings
from vivavoce.gateway.resume.tokens import Tokens

if TYPE_CHECKING:
    from vivavoce.gateway.shared.processes import Processes

__all__ = ["choose_processes"]


def choose_processes(settings: LimitSettings, sessions: Tokens[Bridge], calls: Calls) -> "Processes | None":
    """Return what ties this process to others; None where it is alone.

    Raises `VivaVoceError` for an address that is none, or where the extra is missing.
    """
    if settings.redis_url is None:
        return None
    try:
        from vivavoce.gateway.shared.processes import Processes  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as missing:
        raise VivaVoceError(
            f"VIVAVOCE_REDIS_URL needs the package {missing.name}: pip install 'vivavoce[redis]'."
        ) from missing
    try:
        return Processes(settings.redis_url.get_secret_value(), sessions, calls)
    except ValueError as error:
        raise VivaVoceError(
            "VIVAVOCE_REDIS_URL: expected an address that begins with redis://, rediss:// or unix://."
        ) from error
