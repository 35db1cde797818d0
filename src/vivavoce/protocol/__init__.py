"""The language: the Realtime protocol's events, items, sessions, responses and errors, and their codec.

No I/O, no asyncio, no clock. Absent and null are two things on the wire, and stay two things here: what is
absent is `msgspec.UNSET`.
"""
