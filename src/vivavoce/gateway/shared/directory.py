"""Which process has which session and which call, and what another would need to go on with a session.

A session is found by the digest of its client's token. Its entry belongs to the process that holds it. Who takes it
leaves a mark, so that the one before, should it still be there, knows at its next word that it has it no more. An entry
that is missing altogether was lost with Redis, and is written anew.
"""

from dataclasses import dataclass
from typing import Any

from vivavoce.gateway.shared.link import PREFIX, Link

__all__ = ["CALL_SECONDS", "Directory", "Entry"]

CALL_SECONDS = 60
"""How long a call is told of whose process says nothing more."""

MARK = b"taken"
"""In the place of the holder's name: somebody took the session."""

# The states of an entry: its holder's name and what is sealed; no name, when the holder has left it; the mark.

WRITE = """
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder and holder ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'holder', ARGV[2], 'sealed', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""

TAKE = """
local sealed = redis.call('HGET', KEYS[1], 'sealed')
if not sealed then return false end
redis.call('HDEL', KEYS[1], 'sealed')
redis.call('HSET', KEYS[1], 'holder', ARGV[1])
return sealed
"""

FORGET = """
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A session that somebody may come back to."""

    holder: str
    """The process that has it; empty where that has left it for others."""
    sealed: bytes


class Directory:
    """The entries of one process, ``name``, among those of others. All methods raise `LinkError`."""

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        self._name = name
        self._write = link.redis.register_script(WRITE)
        self._take = link.redis.register_script(TAKE)
        self._forget = link.redis.register_script(FORGET)

    async def write(self, digest: bytes, sealed: bytes, seconds: float, *, leaves: bool = False) -> bool:
        """Keep what is sealed of a session for so long; return False where another process has taken it.

        Who ``leaves`` it has it no more.
        """
        args: list[Any] = [self._name, "" if leaves else self._name, sealed, round(seconds * 1000)]
        return bool(await self._link.do(self._write(keys=[_session(digest)], args=args)))

    async def look(self, digest: bytes) -> Entry | None:
        """Return the entry of a session, if there is one to be taken."""
        holder, sealed = await self._fields(_session(digest), "holder", "sealed")
        return None if holder is None or sealed is None else Entry(holder.decode(), sealed)

    async def take(self, digest: bytes) -> bytes | None:
        """Take a session, as the only one who does; return what is sealed of it, or None where there is none."""
        sealed: bytes | None = await self._link.do(self._take(keys=[_session(digest)], args=[MARK]))
        return sealed

    async def put_back(self, digest: bytes, sealed: bytes, seconds: float) -> None:
        """Let others take a session that could not be gone on with."""
        await self._link.do(self._link.redis.delete(_session(digest)))
        await self.write(digest, sealed, seconds, leaves=True)

    async def forget(self, digest: bytes) -> None:
        """Take note that a session of this process is over."""
        await self._link.do(self._forget(keys=[_session(digest)], args=[self._name]))

    async def write_call(self, call_id: str, user: str) -> None:
        """Tell for `CALL_SECONDS` that a call of this user is here."""
        key = _call(call_id)
        async with self._link.redis.pipeline() as steps:
            steps.hset(key, mapping={"holder": self._name, "user": user})
            steps.expire(key, CALL_SECONDS)
            await self._link.do(steps.execute())

    async def forget_call(self, call_id: str) -> None:
        """Take note that a call is over."""
        await self._link.do(self._link.redis.delete(_call(call_id)))

    async def find_call(self, call_id: str) -> tuple[str, str] | None:
        """Return the process that has a call, and whose it is."""
        holder, user = await self._fields(_call(call_id), "holder", "user")
        return None if holder is None or user is None else (holder.decode(), user.decode())

    async def _fields(self, key: str, *names: str) -> list[bytes | None]:
        """Return what an entry has; the connections of a `Link` give bytes."""
        return await self._link.do(self._link.redis.hmget(key, list(names)))  # type: ignore[arg-type]


def _session(digest: bytes) -> str:
    return f"{PREFIX}session:{digest.hex()}"


def _call(call_id: str) -> str:
    return f"{PREFIX}call:{call_id}"
