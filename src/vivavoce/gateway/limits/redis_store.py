"""Counting in Redis, or whatever speaks its protocol: each step is one script, which nothing comes between.

The scripts take the time from the server, so that processes whose clocks differ still count in the same window.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from vivavoce.gateway.limits.store import LEASE_SECONDS, Entry, Level, MemoryStore

__all__ = ["PREFIX", "RedisStore"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "vivavoce:"
"""What the names of all our keys begin with."""

TIMEOUT = 2.0
"""Seconds that a step may take; a session waits for it."""

REST_SECONDS = 2.0
"""For which a server that did not answer in time is asked no more: sessions would wait each time anew."""

MOST_CONNECTIONS = 8
"""Connections to the server; a step that finds none free waits for one."""

QUIET_SECONDS = 60.0
"""Between two complaints in the log about a server that is gone."""

COUNT = """
local time = redis.call('TIME')
local window = tonumber(ARGV[1])
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local key = KEYS[1] .. ':' .. window .. ':' .. math.floor(now / window)
local used = tonumber(redis.call('GET', key) or '0')
local amount = tonumber(ARGV[2])
if ARGV[3] ~= '' then amount = math.max(0, math.min(amount, tonumber(ARGV[3]) - used)) end
if amount ~= 0 then
  used = redis.call('INCRBY', key, amount)
  redis.call('EXPIRE', key, window + 60)
end
return {amount, used, tostring(window - now % window)}
"""

ENTER = """
local now = tonumber(redis.call('TIME')[1])
for _, key in ipairs(KEYS) do redis.call('ZREMRANGEBYSCORE', key, '-inf', now) end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  if ARGV[3] ~= '' and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 'user_full' end
  if ARGV[4] ~= '' and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then return 'all_full' end
end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + tonumber(ARGV[2]), ARGV[1])
  redis.call('EXPIRE', key, tonumber(ARGV[2]) + 60)
end
return 'welcome'
"""


class RedisStore:
    """Counts for all processes. While the server is gone, each counts for itself."""

    def __init__(self, url: str) -> None:
        """Raises `ValueError` for an address that is none of Redis."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MOST_CONNECTIONS,
            timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            decode_responses=True,
        )
        self._redis = Redis.from_pool(pool)
        self._count = self._redis.register_script(COUNT)
        self._enter = self._redis.register_script(ENTER)
        self._alone = MemoryStore(time.time)
        self._complained = float("-inf")
        self._rests_until = float("-inf")

    async def take(self, counter: str, amount: int, limit: int, window: int) -> Level:
        """Give out as much as there is."""
        level = await self._try(lambda: self._count(keys=[PREFIX + counter], args=[window, amount, limit]))
        return await self._alone.take(counter, amount, limit, window) if level is None else _level(level)

    async def add(self, counter: str, amount: int, window: int) -> Level:
        """Count what was had."""
        level = await self._try(lambda: self._count(keys=[PREFIX + counter], args=[window, amount, ""]))
        return await self._alone.add(counter, amount, window) if level is None else _level(level)

    async def enter(self, user: str, session: str, most: int | None, most_of_all: int | None) -> Entry:
        """Count a session."""
        bounds = ["" if bound is None else bound for bound in (most, most_of_all)]
        args = [session, LEASE_SECONDS, *bounds]
        entry: Entry | None = await self._try(lambda: self._enter(keys=_sessions(user), args=args))
        return await self._alone.enter(user, session, most, most_of_all) if entry is None else entry

    async def leave(self, user: str, session: str) -> None:
        """Count a session no more."""
        await self._try(lambda: self._leave(user, session))
        await self._alone.leave(user, session)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _leave(self, user: str, session: str) -> None:
        for key in _sessions(user):
            await self._redis.zrem(key, session)

    async def _try(self, step: Callable[[], Awaitable[T]]) -> T | None:
        if time.monotonic() < self._rests_until:
            return None
        try:
            return await step()
        except (RedisError, OSError, TimeoutError) as error:
            if isinstance(error, TimeoutError | RedisTimeoutError):
                self._rests_until = time.monotonic() + REST_SECONDS
            if time.monotonic() - self._complained >= QUIET_SECONDS:
                self._complained = time.monotonic()
                # The error may quote the address, with its password.
                _log.warning(
                    "limits are counted by this process alone: Redis fails (%s)", type(error).__name__
                )
            return None


def _sessions(user: str) -> list[str]:
    return [f"{PREFIX}sessions:{user}", f"{PREFIX}sessions"]


def _level(answer: Any) -> Level:
    granted, used, resets_in = answer
    return Level(int(granted), int(used), float(resets_in))
