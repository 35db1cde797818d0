"""What another process needs to go on with a session: what was set and said, and what its client has not got. Pure."""

import msgspec

from vivavoce.client.notices import Loss
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.resume.delivery import Delivery, Said
from vivavoce.gateway.upstreams.enduring import EnduringState

__all__ = ["Snapshot", "read", "write"]

VERSION = 1
"""Of what a snapshot says; a process of another version does not read it."""


class Snapshot(msgspec.Struct):
    """One session at one moment."""

    opening: Opening
    """As it was when it began, with what policy made of it."""
    at: float
    """When that was, in seconds since 1970."""
    received: int
    """How many messages of the client were taken."""
    said: list[Said]
    """What it is not known to have got, the oldest first."""
    complete: bool
    """Whether that is all of it."""
    state: EnduringState
    last: bool = False
    """Whether nothing has happened after it: the process has left the session."""
    lost: list[Loss] = []
    """What there was no room for."""
    version: int = VERSION

    def delivery(self, most_bytes: int) -> Delivery:
        """Return what the client is still to get."""
        return Delivery.of(most_bytes, self.said, complete=self.complete)


def write(snapshot: Snapshot, most_bytes: int) -> bytes:
    """Write it in ``most_bytes`` at the most; where there is no room for all, what is least needed is left out."""
    data = msgspec.msgpack.encode(snapshot)
    while len(data) > most_bytes and _shrink(snapshot):
        data = msgspec.msgpack.encode(snapshot)
    return data


def read(data: bytes) -> Snapshot | None:
    """Read it; None where another version wrote it."""
    try:
        snapshot = msgspec.msgpack.decode(data, type=Snapshot)
    except msgspec.MsgspecError:
        return None
    return snapshot if snapshot.version == VERSION else None


def _shrink(snapshot: Snapshot) -> bool:
    """Leave something out: first what was told, then sound, then the older half of the conversation."""
    thread = snapshot.state.thread
    speech = [start for start, _ in thread.journal.entries if start >= 0]
    if snapshot.said:
        snapshot.said, snapshot.complete = [], False
    elif thread.journal.utterances:
        thread.journal.utterances = {}
    elif speech:
        thread.journal.entries = [one for one in thread.journal.entries if one[0] < 0]
        snapshot.lost = [*snapshot.lost, Loss("What was just being said: there was no room for it.")]
    elif thread.items:
        many = (len(thread.items) + 1) // 2
        thread.items = thread.items[many:]
        snapshot.lost = [*snapshot.lost, Loss(f"The {many} oldest items: there was no room for them.")]
    else:
        return False
    return True
