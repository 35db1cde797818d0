"""The limits at the door: who may begin a session now."""

import time
from dataclasses import dataclass
from http import HTTPStatus

from msgspec import UNSET

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.limits.settings import LimitSettings
from vivavoce.gateway.limits.stage import MICRO, RATE_LIMIT_EXCEEDED, LimitStage, counters
from vivavoce.gateway.limits.store import DAY, MemoryStore, Store
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.policy import Limits, Policy
from vivavoce.gateway.refusal import Refusal

__all__ = ["Limiter", "choose_store"]


@dataclass(frozen=True, slots=True)
class Limiter:
    """The limits of one gateway."""

    policy: Policy
    store: Store
    retry_after: int = 5
    """Seconds after which somebody who has too many sessions may ask again."""

    async def enter(self, opening: Opening) -> Refusal | None:
        """Count a session among those that are open, or return why its user may not have it now."""
        limits, user = self._limits(opening), opening.caller.user
        _, _, tokens, dollars = counters(user)
        budgets = (
            ("tokens", tokens, limits.tokens_per_day, 1),
            ("dollars", dollars, limits.dollars_per_day, MICRO),
        )
        for name, counter, limit, unit in budgets:
            if limit is not UNSET:
                level = await self.store.add(counter, 0, DAY)
                if level.used >= limit * unit:
                    return _refuse(
                        f"All {limit:g} {name} of this user for today are spent.", int(level.resets_in) + 1
                    )
        own = None if limits.sessions is UNSET else limits.sessions
        if not self._counts(limits):
            return None
        match await self.store.enter(user, opening.id, own, self.policy.sessions):
            case "user_full":
                return _refuse(f"All {own} sessions of this user are open already.", self.retry_after)
            case "all_full":
                return _refuse(
                    f"All {self.policy.sessions} sessions of all users are open.", self.retry_after
                )
            case "welcome":
                return None

    async def leave(self, opening: Opening) -> None:
        """Count a session no more."""
        if self._counts(self._limits(opening)):
            await self.store.leave(opening.caller.user, opening.id)

    def stage(self, opening: Opening) -> LimitStage | None:
        """Make the stage that holds a session to its limits."""
        limits = self._limits(opening)
        if limits == Limits() and not self._counts(limits):
            return None
        return LimitStage(
            limits,
            self.store,
            user=opening.caller.user,
            session=opening.id,
            model=opening.model,
            counted=self._counts(limits),
            clock=time.monotonic,
        )

    def _counts(self, limits: Limits) -> bool:
        """Tell whether there may be so many sessions only."""
        return limits.sessions is not UNSET or self.policy.sessions is not None

    def _limits(self, opening: Opening) -> Limits:
        return self.policy.rules(opening.caller).limits or Limits()


def choose_store(settings: LimitSettings) -> Store:
    """Return where is counted. Raises `VivaVoceError` for an address that is none, or where the extra is missing."""
    if settings.redis_url is None:
        return MemoryStore(time.time)
    try:
        from vivavoce.gateway.limits.redis_store import RedisStore  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as missing:
        raise VivaVoceError(
            f"VIVAVOCE_REDIS_URL needs the package {missing.name}: pip install 'vivavoce[redis]'."
        ) from missing
    try:
        return RedisStore(settings.redis_url.get_secret_value())
    except ValueError as error:
        raise VivaVoceError(
            "VIVAVOCE_REDIS_URL: expected an address that begins with redis://, rediss:// or unix://."
        ) from error


def _refuse(message: str, seconds: int) -> Refusal:
    return Refusal(
        HTTPStatus.TOO_MANY_REQUESTS,
        message,
        code=RATE_LIMIT_EXCEEDED,
        type="rate_limit_error",
        retry_after=seconds,
    )
