"""A language model behind OpenAI's HTTP API that knows one answer, for an engine that has it say that.

    python reciter.py <answer>

Where it listens, on this machine's loopback, goes to standard output.
"""

import asyncio
import sys

from tests.engine.models.http_double import HttpDouble, chunk, stream


async def main(answer):
    """Serve until it is ended."""
    double = HttpDouble()
    events = (chunk(content=answer), chunk("stop"), "[DONE]")
    double.answer = stream(*(f"data: {event}\n\n".encode() for event in events))
    async with double.serve():
        sys.stdout.write(f"{double.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
