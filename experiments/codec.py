"""Why events are structs of our own: what it costs to read one audio delta, in microseconds.

Prints a line for each way of reading it: the median of some runs. Two of them write it, for comparison.
"""

import base64
import json
import statistics
import timeit
from typing import Any

import msgspec
from openai._models import construct_type
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from vivavoce.protocol.codec import Frame, decode_server_event, encode, event_type
from vivavoce.protocol.server_events import ResponseOutputAudioDelta

RUNS, EVENTS = 15, 500
MILLISECONDS = 40
"""Of audio in the delta: 24 kHz, 16 bits, in base64."""


def main() -> None:
    """Measure, and print."""
    event = ResponseOutputAudioDelta(
        event_id="event_E6U0xPKs3yvsEC0vkrect",
        response_id="resp_E6U0xPKs3yvsEC0vkrect",
        item_id="item_E6U0xPKs3yvsEC0vkrect",
        output_index=0,
        content_index=0,
        delta=base64.b64encode(bytes(MILLISECONDS * 48)).decode(),
    )
    data = encode(event)
    frame = Frame(data)
    validate = TypeAdapter[Any](RealtimeServerEvent).validate_json
    ways = {
        "only the type": lambda: event_type(data),
        "typed event": lambda: decode_server_event(data),
        "frame with another event_id": lambda: frame.replace(event_id="event_1"),
        "encode": lambda: encode(event),
        "msgspec, untyped": lambda: msgspec.json.decode(data),
        "json.loads": lambda: json.loads(data),
        "official package, as it reads": lambda: construct_type(
            type_=RealtimeServerEvent, value=json.loads(data)
        ),
        "official package, validated": lambda: validate(data),
    }
    print(f"one audio delta of {MILLISECONDS} ms, {len(data)} bytes")
    for name, way in ways.items():
        micros = statistics.median(timeit.repeat(way, number=EVENTS, repeat=RUNS)) / EVENTS * 1e6
        print(f"{micros:8.2f} µs  {name}")


if __name__ == "__main__":
    main()
