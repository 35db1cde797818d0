import pytest

from vivavoce.gateway.opening import Caller
from vivavoce.gateway.policy.file import EVENTS, PolicyFileError, parse_policy, read_policy
from vivavoce.gateway.policy.rules import Limits, Policy, Rules
from vivavoce.protocol.session_params import AudioOutputParams, AudioParams, RealtimeSessionParams

YAML = """\
default:
  locked: [instructions, voice]
  session: {audio: {output: {voice: marin}}}
groups:
  guests:
    limits: {sessions: 1, dollars_per_day: 0.5}
keys:
  kiosk: {max_session_seconds: 60}
sessions: 20
"""
JSON = """\
{"default": {"locked": ["instructions", "voice"],
             "session": {"type": "realtime", "audio": {"output": {"voice": "marin"}}}},
 "groups": {"guests": {"limits": {"sessions": 1, "dollars_per_day": 0.5}}},
 "keys": {"kiosk": {"max_session_seconds": 60}}, "sessions": 20}
"""
TOML = """\
sessions = 20
[default]
locked = ["instructions", "voice"]
session.audio.output.voice = "marin"
[groups.guests.limits]
sessions = 1
dollars_per_day = 0.5
[keys.kiosk]
max_session_seconds = 60
"""


@pytest.mark.parametrize(("text", "suffix"), [(YAML, "yaml"), (JSON, "json"), (TOML, "toml")])
def test_is_the_same_in_each_format(tmp_path, text, suffix):
    path = tmp_path / f"policy.{suffix}"
    path.write_text(text)
    assert read_policy(path) == Policy(
        default=Rules(
            locked=["instructions", "voice"],
            session=RealtimeSessionParams(audio=AudioParams(output=AudioOutputParams(voice="marin"))),
        ),
        groups={"guests": Rules(limits=Limits(sessions=1, dollars_per_day=0.5))},
        keys={"kiosk": Rules(max_session_seconds=60)},
        sessions=20,
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "default:\ngroups:\n", "groups: {a: }"])
def test_one_that_says_nothing_allows_everything(text):
    assert parse_policy(text).rules(Caller("ada", group="a")) == Rules()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("default:\n  lokced: []\n", "policy:2: default.lokced: there is no such field"),
        (
            "groups:\n  a:\n    limits:\n      sessions: 0\n",
            "policy:4: groups.a.limits.sessions: expected `int` >= 1",
        ),
        (
            "groups:\n  a:\n    limits:\n      session: 1\n",
            "policy:4: groups.a.limits.session: there is no such",
        ),
        (
            "keys:\n  k:\n    models:\n      - a\n      - 7\n",
            "policy:5: keys.k.models[1]: expected `str`, got `int`",
        ),
        (
            "default:\n  locked: [tools,\n    voise]\n",
            "policy:3: default.locked[1]: expected a field of a session",
        ),
        (
            "default: {events: [session.updat]}",
            "policy:1: default.events[0]: expected one of conversation.item.",
        ),
        ("default:\n  session:\n    voice: x\n", "policy:3: default.session.voice: there is no such field"),
        (
            "default:\n  session: {instructions: 7}\n",
            "policy:2: default.session.instructions: expected `str | null`",
        ),
        (
            "default:\n  idle_seconds: 1\n  idle_seconds: 2\n",
            "policy:3: default.idle_seconds: stands here twice",
        ),
        ("default:\n  tools: weather\n", "policy:2: default.tools: expected `object`, got `str`"),
        ("grups: {}", "policy:1: grups: expected one of the sections default, groups, keys, sessions"),
        ("groups: []", "policy:1: groups: expected names, each with its rules"),
        ("groups: {1: {}}", "policy:1: groups: expected names"),
        ("sessions: true", "policy:1: sessions: expected a whole number from 1, got True"),
        ("- 1", "policy:1: the file: expected the sections"),
        ("default: [", "policy:1: "),
        ("default: {\n  a: b: c}", "policy:2: "),
        ("a: \x00", "policy: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, says):
    with pytest.raises(PolicyFileError) as caught:
        parse_policy(text)
    assert str(caught.value).startswith(says), str(caught.value)


def test_of_toml_the_place_is_told_without_line(tmp_path):
    with pytest.raises(PolicyFileError, match=r"^policy: default\.lokced: "):
        parse_policy("[default]\nlokced = []", toml=True)
    with pytest.raises(PolicyFileError, match=r"^policy: Expected .]."):
        parse_policy("[default", toml=True)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(PolicyFileError, match="No such file"):
        read_policy(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"\xff")
    with pytest.raises(PolicyFileError, match="cannot be read"):
        read_policy(tmp_path / "latin.yaml")


def test_all_client_events_can_be_named():
    assert len(EVENTS) == 11
    assert "session.update" in EVENTS
