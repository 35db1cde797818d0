"""What ``ask``, ``talk`` and ``replay`` can be told in the same words."""

from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "ApiKey",
    "EngineProfile",
    "Instructions",
    "Model",
    "Record",
    "Url",
    "Voice",
    "session_fields",
]

Url = Annotated[
    str | None,
    typer.Option(help="The endpoint at this address, such as http://127.0.0.1:8000/v1; else the engine."),
]
ApiKey = Annotated[
    str | None,
    typer.Option(envvar="OPENAI_API_KEY", show_envvar=True, help="The key for that endpoint."),
]
Model = Annotated[str, typer.Option(help="The model to ask for.")]
Voice = Annotated[str | None, typer.Option(help="The voice that answers.")]
Instructions = Annotated[str | None, typer.Option(help="What the model should be like.")]
EngineProfile = Annotated[str, typer.Option(help="Models of the engine: default, compact or small.")]
Record = Annotated[
    Path | None, typer.Option(help="Keep all events, and what both sides say, in this new folder.")
]


def session_fields(
    *, instructions: str | None = None, voice: str | None = None, push_to_talk: bool = False
) -> dict[str, Any]:
    """Return a session, by flat names, that hears and speaks PCM16 and writes down what it hears.

    What is None is left to the endpoint.
    """
    fields: dict[str, Any] = {
        "output_modalities": ["audio"],
        "input_format": "audio/pcm",
        "output_format": "audio/pcm",
        "transcription": True,
        "turn_detection": None if push_to_talk else "server_vad",
    }
    wanted = {"instructions": instructions, "voice": voice}
    return fields | {name: value for name, value in wanted.items() if value is not None}
