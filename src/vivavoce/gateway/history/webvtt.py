"""A session as WebVTT: captions on the session's clock, which a recording of it follows. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["WRITTEN_MS", "webvtt"]

WRITTEN_MS = 3000
"""How long a message is shown that was written, not spoken."""

SHORTEST_MS = 500
"""How long any caption is shown at the least."""

_VOICES = {"user": "User", "assistant": "Assistant"}


def webvtt(items: Iterable[Mapping[str, Any]], *, started_at: float) -> str:
    """Write the captions of a session's items, as the REST API gives them, in the order of their time."""
    cues = sorted(filter(None, (_cue(item, started_at) for item in items)), key=lambda cue: cue[:2])
    parts = ["WEBVTT\n"]
    parts += [f"{_time(start)} --> {_time(end)}\n<v {voice}>{text}\n" for start, end, voice, text in cues]
    return "\n".join(parts)


def _cue(item: Mapping[str, Any], started_at: float) -> tuple[int, int, str, str] | None:
    words = " ".join(part.get("transcript") or part.get("text") or "" for part in item["content"] or ())
    voice = _VOICES.get(item["role"] or "")
    if voice is None or not words.strip():
        return None
    start = item["start_ms"]
    if start is None:
        start = max(0, round(((item["created_at"] or started_at) - started_at) * 1000))
        end = start + WRITTEN_MS
    else:
        end = item["end_ms"] or start
    return start, max(end, start + SHORTEST_MS), voice, _escape(words)


def _escape(text: str) -> str:
    """Write text so that nothing in it is a tag, and no line in it ends the caption."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(escaped.split())


def _time(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{rest:03}"
