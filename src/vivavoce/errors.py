"""Every error that this package raises.

::

    VivaVoceError
    ├── ProtocolError            bytes or an event that the Realtime protocol does not allow
    ├── AudioError               audio that cannot be read, written, played or recorded
    │   ├── AudioFileError       a file is missing, is no audio, is empty or is silent
    │   ├── SpeechTooShort       what was said is too little for a turn
    │   └── AudioDeviceError     no microphone or speaker, or it may not be used
    ├── ConnectionFailed         an endpoint cannot be reached, or refuses
    ├── ConnectionLost           an endpoint went away in the middle
    ├── RecordingError           a session cannot be recorded, or a recording cannot be read
    ├── WeightsError             model weights cannot be had
    │   ├── WeightsUnavailable   no source could give them
    │   └── WeightsCorrupt       what came is not what the catalogue names
    ├── ModelError               a model failed at its work
    ├── ToolError                a tool cannot do what a model asks of it
    ├── LinkError                the processes of a gateway cannot ask each other now
    ├── HistoryError             the history cannot be kept or read
    ├── ScriptError              a script or a cassette cannot be read
    └── ScriptFailed             something else came than a script expects

Each carries its facts as attributes; ``str()`` tells them in one sentence that says what was expected and
what came.
"""

__all__ = [
    "AudioDeviceError",
    "AudioError",
    "AudioFileError",
    "ConnectionFailed",
    "ConnectionLost",
    "HistoryError",
    "LinkError",
    "ModelError",
    "ProtocolError",
    "RecordingError",
    "ScriptError",
    "ScriptFailed",
    "SpeechTooShort",
    "ToolError",
    "VivaVoceError",
    "WeightsCorrupt",
    "WeightsError",
    "WeightsUnavailable",
]


class VivaVoceError(Exception):
    """The root: catch this to catch all of ours."""


class ProtocolError(VivaVoceError):
    """Something that the Realtime protocol does not allow.

    The attributes are those of the protocol's ``error`` event, so that a server can send it as it stands.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        event_id: str | None = None,
        type: str = "invalid_request_error",  # noqa: A002 - the protocol's name
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.event_id = event_id
        self.type = type


class AudioError(VivaVoceError):
    """Audio that cannot be read, written, played or recorded."""


class AudioFileError(AudioError):
    """A file is missing, is no audio, is empty or is silent."""


class SpeechTooShort(AudioError):  # noqa: N818 - says what happened
    """What was said is too little for a turn: it is forgotten, and no answer is asked for.

    ``seconds`` were said, and ``needed`` are the least.
    """

    def __init__(self, seconds: float, needed: float) -> None:
        super().__init__(
            f"Expected at least {needed * 1000:g} ms of speech for a turn, and got {seconds * 1000:g} ms."
        )
        self.seconds = seconds
        self.needed = needed


class AudioDeviceError(AudioError):
    """No microphone or speaker, or it may not be used."""


class ConnectionFailed(VivaVoceError):  # noqa: N818 - says what happened, as websockets' names do
    """An endpoint cannot be reached, or refuses.

    ``status`` is the HTTP status of a refusal, None where there was no answer at all; ``code`` names the reason
    where the endpoint does, such as ``session_limit_reached``, and is ``timeout`` where it did not answer in time.
    ``retry_after`` is how many seconds it asks to be left alone.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class ConnectionLost(VivaVoceError):  # noqa: N818
    """An endpoint went away in the middle.

    ``code`` and ``reason`` are those of the WebSocket's close; 1006 where the line just broke.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"the endpoint closed the connection ({code}{': ' + reason if reason else ''})")
        self.code = code
        self.reason = reason


class RecordingError(VivaVoceError):
    """A session cannot be recorded, or a recording cannot be read."""


class WeightsError(VivaVoceError):
    """Model weights cannot be had."""


class WeightsUnavailable(WeightsError):  # noqa: N818
    """No source could give them."""


class WeightsCorrupt(WeightsError):  # noqa: N818
    """What came is not what the catalogue names."""


class ModelError(VivaVoceError):
    """A model failed at its work."""


class ToolError(VivaVoceError):
    """A tool cannot do what a model asks of it; the message is told to the model, which can speak about it."""


class LinkError(VivaVoceError):
    """The processes of a gateway cannot ask each other now: what they share is gone."""


class HistoryError(VivaVoceError):
    """The history cannot be kept or read.

    ``lasting`` tells that what was to be written never can be, rather than not now.
    """

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class ScriptError(VivaVoceError):
    """A script or a cassette cannot be read."""


class ScriptFailed(VivaVoceError, AssertionError):  # noqa: N818
    """Something else came than a script expects, or nothing came: for a test, this is a failure."""
