"""The recorded sessions of tests/wire, frame by frame."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WIRE = Path(__file__).parent.parent / "wire"


def frames(direction: str) -> Iterator[Any]:
    """Yield the recorded events: "C" for those of clients, "S" for those of servers."""
    for path in sorted(WIRE.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            frame = json.loads(line)
            if frame["dir"] == direction:
                yield frame["event"]
