"""Doubles: endpoints that play a script, so that what talks to one can be tested without network, key or model.

`ScriptedEngine` is the engine itself, with a script in the place of its models. `ScriptedEndpoint` knows nothing but
the events that it is to expect and to send. A `Cassette` is a session that was recorded. `serve_scripted` puts each of
them on a loopback address.
"""

from vivavoce.testing.cassette import Cassette, RecordingTransport
from vivavoce.testing.endpoint import ScriptedEndpoint
from vivavoce.testing.engine import ScriptedEngine, read_script
from vivavoce.testing.latency import SlowTransport
from vivavoce.testing.matching import ref
from vivavoce.testing.script import Expect, Failure, FunctionCall, Latency, Script, Turn, parse_script
from vivavoce.testing.serving import serve_scripted
from vivavoce.testing.steps import close, emit, expect

__all__ = [
    "Cassette",
    "Expect",
    "Failure",
    "FunctionCall",
    "Latency",
    "RecordingTransport",
    "Script",
    "ScriptedEndpoint",
    "ScriptedEngine",
    "SlowTransport",
    "Turn",
    "close",
    "emit",
    "expect",
    "parse_script",
    "read_script",
    "ref",
    "serve_scripted",
]
