"""The command line: ``vivavoce ask``, ``talk``, ``serve``, ``doctor``, ``replay``, ``models``.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a sound file that cannot be used, 4 an endpoint that cannot be
reached, 5 no sound device, 6 no model weights. An error is one line on standard error; with ``VIVAVOCE_DEBUG=1`` in
the environment, its traceback.
"""

import os
import sys

from vivavoce.errors import (
    AudioDeviceError,
    AudioFileError,
    ConnectionFailed,
    VivaVoceError,
    WeightsError,
)

__all__ = ["EXIT_CODES", "exit_code", "main"]

EXIT_CODES: dict[type[VivaVoceError], int] = {
    AudioFileError: 3,
    ConnectionFailed: 4,
    AudioDeviceError: 5,
    WeightsError: 6,
}
"""The exit code of each family of errors; all others have 1."""


def exit_code(error: VivaVoceError) -> int:
    """Return the exit code for an error."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; always ends with `SystemExit`."""
    try:
        from vivavoce.cli.app import app  # noqa: PLC0415 - an extra: what is missing is told below
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "vivavoce":
            raise
        sys.exit(f"The command line needs the package {missing.name}: pip install 'vivavoce[cli]'.")
    try:
        app(arguments)
    except VivaVoceError as error:
        if os.environ.get("VIVAVOCE_DEBUG") == "1":
            raise
        print(str(error), file=sys.stderr)  # noqa: T201 - the one line
        sys.exit(exit_code(error))
