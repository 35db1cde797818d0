"""A caller on a machine of its own: asks by voice and in writing, and says what it was told.

    python caller.py <server> <question.wav> <folder>

Every line that comes on standard input is a turn: ``ask`` speaks the question, ``write`` writes it. What comes of it
goes to standard output as JSON, and the speech that was heard into the folder.
"""

import asyncio
import base64
import json
import sys
from pathlib import Path

import numpy as np

from vivavoce import RealtimeClient
from vivavoce.audio.pcm import decode_pcm16
from vivavoce.audio.wav import read_wav, write_wav
from vivavoce.webrtc.peer import PeerTransport
from vivavoce.webrtc.playout import RATE

PAUSE = np.zeros(2 * RATE, np.float32)
QUESTION = "What is the capital of France?"


def tell(what):
    """Tell whoever started this."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def turn(client, how, question, file):
    """Ask, hear the answer to its end, and return what was understood, and where the answer is heard."""
    told, understood, heard = client.events(), None, []
    if how == "ask":
        await client.send_audio(np.concatenate([question, PAUSE]))
    else:
        await client.send_text(QUESTION)
    async for event in told:
        match event.type:
            case "conversation.item.input_audio_transcription.completed":
                understood = event.transcript
            case "response.output_audio.delta":
                heard.append(decode_pcm16(base64.b64decode(event.delta)))
            case "output_audio_buffer.stopped":
                break
    write_wav(file, np.concatenate(heard) / 32_768, RATE)
    return {"is": "answered", "understood": understood, "heard": str(file)}


async def main(server, question, folder):
    """Call, and take turns until there are no more lines."""
    speech, rate = read_wav(question)
    assert rate == RATE
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    call = lambda: PeerTransport.connect(f"{server}/v1")  # noqa: E731
    async with RealtimeClient(transport=call, reconnect=False) as client:
        await client.update_session(transcription="whisper-1")
        tell({"is": "ready"})
        number = 0
        while line := (await lines.readline()).decode().strip():
            number += 1
            tell(await turn(client, line, speech, Path(folder) / f"{number}.wav"))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
