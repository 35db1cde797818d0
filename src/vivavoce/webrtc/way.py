"""A second connection of a call beside the one in use, which may take its place.

What is above, encryption, speech and events, reads from one queue that both fill, and notices nothing. aiortc has no
place for it, so here some of what is private in it and in aioice is reached for:

================================  ======================================================
``RTCIceTransport._connection``   the connection in use, which it closes at the end
``RTCIceTransport._recv, _send``  what `RTCDtlsTransport` calls for each packet
``Connection._queue``             what came, and None at the end
``Connection._event_waiter``      who is told of the end
``Connection._query_consent_…``   asks every five seconds whether the peer is still there
================================  ======================================================
"""

# ruff: noqa: SLF001

import asyncio
import logging

from aioice import Candidate, Connection
from aioice.stun import TransactionError
from aiortc import RTCConfiguration, RTCIceGatherer, RTCIceTransport, RTCPeerConnection
from aiortc.sdp import SessionDescription

from vivavoce.webrtc.reach import Reach

__all__ = ["LINGER_SECONDS", "SEARCH_SECONDS", "Way", "answers", "ice_transports", "shut"]

SEARCH_SECONDS = 20.0
"""In which the peer must be found on a new way. Until then nobody asks whether it is still there on the old one."""

LINGER_SECONDS = 1.0
"""How long the old way is listened to after that: packets are still under way on it."""

ASKED_AGAIN = 2
"""How often a peer that does not answer is asked again: after 0.5 and 1 s, and given up after 2 s more."""

_log = logging.getLogger(__name__)


def ice_transports(peer: RTCPeerConnection) -> set[RTCIceTransport]:
    """Return what carries the media and the data of a peer: one transport, where they share it (BUNDLE)."""
    carriers = [*(section.receiver for section in peer.getTransceivers()), peer.sctp]
    beneath = [one.transport for one in carriers if one is not None]
    return {one.transport for one in beneath if one is not None}  # a hostile offer leaves some without


async def shut(transport: RTCIceTransport) -> None:
    """Close a transport's sockets, even where it takes itself for closed since closing it was broken off."""
    await transport._connection.close()
    await transport.stop()


async def answers(transport: RTCIceTransport) -> bool:
    """Ask the peer whether it is there; return whether it says so. Where a call is closed there is nobody to ask."""
    connection: Connection = transport._connection
    pair = connection._nominated.get(1)
    if pair is None or connection.remote_password is None:
        return False
    request, key = connection.build_request(pair, nominate=False), connection.remote_password.encode()
    try:
        await pair.protocol.request(request, pair.remote_addr, integrity_key=key, retransmissions=ASKED_AGAIN)
    except TransactionError:
        return False
    return True


class Way:
    """A connection that may take the place of the one that ``transport`` has.

    `gather` addresses, exchange descriptions, `meet` the peer and `run`; or `close` it.
    """

    def __init__(self, transport: RTCIceTransport, configuration: RTCConfiguration) -> None:
        self._transport = transport
        self._gatherer = RTCIceGatherer(configuration.iceServers or [], configuration.iceTransportPolicy)
        self._new: Connection = self._gatherer._connection
        self._old: Connection = transport._connection
        self._new.ice_controlling = self._old.ice_controlling
        self._new._queue = self._old._queue
        self.taken = False
        """Whether the call goes this way."""

    async def gather(self) -> None:
        """Find out under which addresses this side is reached."""
        await self._gatherer.gather()

    def described(self, sdp: str) -> str:
        """Return a description of this side with this way in place of the one that it tells of."""
        description = SessionDescription.parse(sdp)
        description.origin = _later(description.origin or "")
        candidates = self._gatherer.getLocalCandidates()
        for media in description.media:
            media.ice = self._gatherer.getLocalParameters()
            media.ice_candidates = candidates
            if candidates:
                media.host, media.port = candidates[0].ip, candidates[0].port
        return str(description)

    async def meet(self, peer: Reach) -> None:
        """Take what the peer says of itself; names of its network are looked up."""
        self._new.remote_username, self._new.remote_password = peer.username, peer.password
        candidates = map(Candidate.from_sdp, peer.candidates)
        await asyncio.gather(*(self._new.add_remote_candidate(one) for one in candidates))

    async def run(self) -> bool:
        """Look for the peer; return whether the call goes this way now. The way that is not in use is closed."""
        self._trust()
        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                await self._new.connect()
            self._take_over()
            await asyncio.sleep(LINGER_SECONDS)
        except (ConnectionError, TimeoutError) as error:
            _log.debug("a peer was not found on another way: %r", error)
        finally:
            if self.taken:
                await _close(self._old)
            else:
                self._distrust()
                await self.close()
        return self.taken

    async def close(self) -> None:
        """Let go of this way, which is not in use."""
        await _close(self._new)

    def _trust(self) -> None:
        """Do not ask on the old way whether the peer is still there: the answer would end the call."""
        if self._old._query_consent_task is not None:
            self._old._query_consent_task.cancel()

    def _distrust(self) -> None:
        if not self._old._closing:
            self._old._query_consent_task = asyncio.create_task(self._old.query_consent())

    def _take_over(self) -> None:
        self.taken = True
        self._transport._connection = self._new
        self._transport._recv, self._transport._send = self._new.recv, self._new.send
        self._new._event_waiter, self._old._event_waiter = self._old._event_waiter, None


async def _close(connection: Connection) -> None:
    connection._queue = asyncio.Queue()  # whoever reads is not told that this one has ended
    await connection.close()


def _later(origin: str) -> str:
    """Return the next version of a description's origin (RFC 8866, 5.2)."""
    who, session, version, *rest = origin.split(" ")
    return " ".join([who, session, str(int(version) + 1), *rest])
