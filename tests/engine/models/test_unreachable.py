import errno
import socket

import pytest

from vivavoce.engine.models.unreachable import why_unreachable


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"), "Connection refused"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (OSError("Multiple exceptions: refused, refused"), "Multiple exceptions: refused, refused"),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_it_is_told_in_the_words_of_the_system(error, why):
    assert why_unreachable(error) == why
