"""How much a peer may leave unfinished on its data channel.

A message comes in fragments, which aiortc keeps until the last of them has come, however many there are, and looks
through at each new one. It tells peers how much it is ready to keep, and holds nobody to it. It has no place for that,
so here some of what is private in it is reached for:

==============================================  =====================================================
``RTCSctpTransport._receive_data_chunk``        takes each fragment
``RTCSctpTransport._advertised_rwnd``           bytes that it is ready to take, less than 0 beyond
``RTCSctpTransport._inbound_streams``           what is unfinished, by its stream
``RTCSctpTransport._sack_misordered``           fragments behind one that has not come
==============================================  =====================================================
"""

# ruff: noqa: SLF001

from collections.abc import Callable

from aiortc import RTCSctpTransport
from aiortc.rtcsctptransport import DataChunk

__all__ = ["MOST_BEYOND", "MOST_FRAGMENTS", "MOST_STREAMS", "bound"]

MOST_BEYOND = 2**20
"""Bytes beyond the 1 MiB that peers are told of: one that is aiortc itself does not heed it after a loss."""

MOST_FRAGMENTS = 4096
"""2 MiB in fragments of a packet each are 1,800; those that are smaller cost as much."""

MOST_STREAMS = 64
"""A call has one data channel; others are let be, and each takes a stream."""


def bound(sctp: RTCSctpTransport, overrun: Callable[[], None]) -> None:
    """Take no more of a peer than that, and say so to ``overrun``."""
    take = sctp._receive_data_chunk

    async def take_bounded(chunk: DataChunk) -> None:
        if not _is_overrun(sctp):
            await take(chunk)
        if _is_overrun(sctp):
            overrun()

    sctp._receive_data_chunk = take_bounded  # type: ignore[method-assign]


def _is_overrun(sctp: RTCSctpTransport) -> bool:
    streams = sctp._inbound_streams
    return (
        sctp._advertised_rwnd < -MOST_BEYOND
        or len(streams) > MOST_STREAMS
        or len(sctp._sack_misordered) > MOST_FRAGMENTS
        or sum(len(stream.reassembly) for stream in streams.values()) > MOST_FRAGMENTS
    )
