"""A program that knows the voice API from its documentation alone: the address of the server, and a user, are given.

It changes the session, writes, and prints what it hears until it has been answered.
"""

import asyncio
import json
import sys

import websockets


async def connect_realtime(uri):
    async with websockets.connect(uri) as websocket:
        await websocket.send(
            json.dumps({"type": "session.update", "session_update": {"voice": "alloy", "language": "en"}})
        )
        await websocket.send(
            json.dumps(
                {
                    "type": "conversation.item.input",
                    "conversation_item_input": {"type": "input_text", "text": "Hello, how are you?"},
                }
            )
        )
        async for message in websocket:
            data = json.loads(message)
            print(json.dumps(data))  # noqa: T201 - its output is what is tested
            if data["type"] == "response.done":
                break


asyncio.run(connect_realtime(sys.argv[1]))
