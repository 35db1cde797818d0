"""Going on with a session of another process, for a client that comes back here."""

import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from vivavoce.errors import LinkError
from vivavoce.gateway.bridge import Moved
from vivavoce.gateway.digests import digest, sealing_key
from vivavoce.gateway.opening import Caller, Opening
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.resume.snapshot import Snapshot, read
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.upstreams.enduring import EnduringTransport, EnduringUpstream
from vivavoce.protocol.ids import Ids

if TYPE_CHECKING:
    from vivavoce.gateway.shared.processes import Processes

__all__ = ["Coming", "Gone", "find", "not_found", "not_theirs", "unavailable"]

_IDS = Ids()


class Gone(Exception):  # noqa: N818 - says what happened
    """Somebody else took the session, or its time is over."""


@dataclass(slots=True)
class Coming:
    """A client that comes back to a session which another process has, or had."""

    processes: "Processes"
    settings: GatewaySettings
    token: str
    after: str | None
    holder: str
    snapshot: Snapshot
    _taken: bytes = b""

    def opening(self) -> Opening:
        """Return what the session is here."""
        return replace(self.snapshot.opening, id=_IDS.session(), started_at=time.time())

    def aged(self, opening: Opening) -> Opening:
        """Return the same, with how long it had lasted when it was taken."""
        return replace(opening, age=self.snapshot.opening.age)

    async def connect(self, upstream: EnduringUpstream) -> EnduringTransport:
        """Take the session, and open it again.

        Raises `Gone`, `LinkError`, and `ConnectionFailed`, after which the client may try again.
        """
        directory, name = self.processes.directory, digest(self.token)
        if self.holder:
            await self.processes.mail.ask(self.holder, "yield", name.hex())
        sealed = await directory.take(name)
        snapshot = None if sealed is None else _open(self.token, sealed)
        if sealed is None or snapshot is None:
            raise Gone
        self._taken, self.snapshot = sealed, snapshot
        opening = snapshot.opening
        try:
            return await upstream.restore(opening.model, opening.params, snapshot.state)
        except BaseException:
            await self.give_back()
            raise

    async def give_back(self) -> None:
        """Let the client try again with the token that it has. Raises `LinkError`."""
        seconds = self.settings.resume_seconds
        await self.processes.directory.put_back(digest(self.token), self._taken, seconds)

    def moved(self, transport: EnduringTransport, token: str) -> Moved:
        """Return what the bridge has to know; ``token`` is the client's next."""
        lost = [*self.snapshot.lost, *transport.lost]
        age = 0 if self.snapshot.last else max(0, round((time.time() - self.snapshot.at) * 1000))
        return Moved(
            said=self.snapshot.delivery(self.settings.resume_buffer_bytes),
            received=self.snapshot.received,
            token=token,
            after=self.after,
            restored={"age_ms": age, "lost": msgspec.to_builtins(lost)},
        )


async def find(
    processes: "Processes", settings: GatewaySettings, caller: Caller, *, token: str, after: str | None
) -> Coming | Refusal:
    """Return what another process left of the session of a token, or why it cannot be had. Raises `LinkError`."""
    entry = await processes.directory.look(digest(token))
    snapshot = None if entry is None else _open(token, entry.sealed)
    if entry is None or snapshot is None:
        return not_found()
    owner = snapshot.opening.caller
    if (owner.user, owner.key) != (caller.user, caller.key):
        return not_theirs()
    return Coming(processes, settings, token, after, entry.holder, snapshot)


def not_found() -> Refusal:
    """Return what is said of a token that is good for nothing."""
    return Refusal(
        HTTPStatus.NOT_FOUND,
        "There is no session to come back to with this token: it was used, or the session is over.",
        code="resume_token_not_found",
        param="resume",
    )


def not_theirs() -> Refusal:
    """Return what is said to somebody else."""
    return Refusal(
        HTTPStatus.FORBIDDEN,
        "The session of this token is somebody else's.",
        code="resume_not_allowed",
        param="resume",
    )


def unavailable(down: LinkError, settings: GatewaySettings) -> Refusal:
    """Return what is said while nobody knows what other processes have."""
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        str(down),
        code="resume_unavailable",
        type="server_error",
        retry_after=settings.retry_after_seconds,
    )


def _open(token: str, sealed: bytes) -> Snapshot | None:
    from vivavoce.gateway.shared.sealing import unseal  # noqa: PLC0415 - an extra

    data = unseal(sealing_key(token), sealed, name=digest(token))
    return None if data is None else read(data)
