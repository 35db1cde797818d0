"""Write the pages of the reference that are made from code. A test compares them with the code.

Run it from anywhere: ``.venv/bin/python docs/reference/generate.py``.
"""

import ast
import inspect
import sys
from collections.abc import Iterable
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from vivavoce import errors
from vivavoce.engine import compatibility
from vivavoce.gateway.policy.rules import Limits, Rules, ToolRules
from vivavoce.gateway.settings import GatewaySettings

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1]))

from tests.conformance.deliberate import DELIBERATE  # noqa: E402 - the path comes first
from tests.engine.session.states import INPUTS, STATES, Row, State, table  # noqa: E402 - the path comes first

SETTINGS = """\
# Settings of the gateway

<!-- Made by generate.py from GatewaySettings: change it there. -->

`vivavoce serve` reads each setting from its option, else from the environment, else takes the default.

| variable | default | what it does |
|---|---|---|
"""

POLICY = """\
# Policy

<!-- Made by generate.py from vivavoce/gateway/policy/rules.py: change it there. -->

The file that `--policy` or `VIVAVOCE_POLICY` names, in YAML, JSON or TOML, says who may do what, and how
much. It has four sections, each of which may be left out: `default`, the rules of everybody; `groups` and
`keys`, rules by the name of a group or of a key; and `sessions`, how many there may be of all users at one
time. The rules of a key come before those of its group, and those before the default, field by field. The
file is read at the start; what is wrong in it is told with its line.

Where there is a policy, clients may send only what the protocol knows, and only what is understood goes on.

## Rules

| field | is | means |
|---|---|---|
{rules}
## limits

Each user has them, however many sessions and keys. What goes over one gets an `error` event with the code
`rate_limit_exceeded`; at the door it is 429, with `Retry-After`. Audio is told of once in a minute. When four
fifths of a minute's limit are used, and after each response where tokens are limited, the client hears
`rate_limits.updated`.

| field | is | means |
|---|---|---|
{limits}
What has been used is counted in portions of a twentieth of a limit, so that sessions of one user in many
processes never have more
than the limit together, and none waits for each event. A budget of the day can be passed by the response that
spends the last of it.

## tools

The gateway can run tools itself: `VIVAVOCE_TOOLS` and `VIVAVOCE_MCP_SERVERS` say which it has.

| field | is | means |
|---|---|---|
{tools}
A tool that a client brings under the name of one that it is served gives way to the gateway's.

For `approval` the client gets a `conversation.item.added` with an `mcp_approval_request` of the server
`gateway`, and answers as
the protocol has it, by creating an `mcp_approval_response`; silence is a no after a minute.

## Errors

| code | when |
|---|---|
| `field_locked` | a field is locked |
| `event_not_allowed` | an event is not listed |
| `model_not_allowed` | a model is not listed; at the door 403 |
| `mcp_server_not_allowed` | the host of an MCP server is not listed |
| `message_too_large`, `item_too_large` | an event or an item is longer than the rules allow |
| `rate_limit_exceeded` | a limit is reached |
| `session_expired`, `session_idle` | the session has lasted, or been silent, for as long as it may: close 1001 |
"""

ERRORS = """\
# Errors

<!-- Made by generate.py from vivavoce/errors.py: change it there. -->

Everything that the package raises on purpose is a `VivaVoceError` (module `vivavoce.errors`).

```
{tree}
```
"""

COMPATIBILITY = """\
# Compatibility

<!-- Made by generate.py from vivavoce/engine/compatibility.py: change it there. -->

What the engine makes of every event of the [Realtime protocol](../glossary.md), and of every field of its objects.

- **served**: as the protocol has it.
- **approximated**: accepted, and done as the note says.
- **refused**: answered with an `error` that names it, after which the session goes on.
- **unsent**: for a server to send, but never sent by this one.

[Below](#recorded-sessions) stands in what the engine differs from sessions with OpenAI that were recorded. How much of
everything there may be is told in [the engine's limits](engine.md#limits).

"""

STATE_MACHINE = """\
# The state machine of a session

<!-- Made by generate.py, which lets everything happen in every state: see tests/engine/session/states.py. -->

A session of the engine is one state machine (`vivavoce.engine.session.machine.Session`): it takes what happened, a
client's event or the answer of a model, and returns what is to be done, in order. It has no clock, no tasks and no
sockets, so this page is not written, but run: each row is what the machine did.

A state has two names, divided by a slash.

| it hears | |
|---|---|
| listening | nobody speaks |
| speaking | somebody does |
| paused | somebody fell silent, perhaps only for a moment |
| pushing | there is no turn detection: the client commits |
| …, settling | and an item waits for its words |

| its response | |
|---|---|
| none | there is none |
| speculating | one is begun on trial, and nobody knows of it |
| waiting | it is created, and waits for the words that it answers |
| writing | the language model writes it, and the synthesiser speaks what is written |
| calling | the language model writes a call of a function |
| voicing | it is written, and being spoken |

Events that are sent to the client are set in `code`, work that models are asked for in **bold** (its name is that of a
class in `vivavoce.engine.session.effects`). What models answer has the names of the classes in
`vivavoce.engine.session.inputs`.

*End of the item* stands for {end}.

These things can happen: {inputs}. What a state's table does not name changes nothing there; nor does, in any state, an
answer to work that was dropped in the meantime.
"""

RECORDED = """\
## Recorded sessions

Thirteen sessions that were recorded with OpenAI (`tests/wire`) are replayed against the engine in its tests: its models
hear, write and say what was heard, written and said there, and every event that it sends is compared with the one that
OpenAI sent, field by field, the times of speech to the millisecond. How deltas are cut, how many tokens were counted
and what the audio sounds like is not compared. These are all the differences that remain:

| event | where | why |
|---|---|---|
"""

END_OF_THE_ITEM = (
    "`response.output_audio.done`",
    "`response.output_audio_transcript.done`",
    "`response.content_part.done`",
    "`conversation.item.done`",
    "`response.output_item.done`",
)

KINDS = {
    "str": "text",
    "bool": "true or false",
    "list[str]": "a list of names",
    "Positive": "a whole number from 1",
    "Amount": "a number above 0",
    "RealtimeSessionParams": "a session",
    "ToolRules": "[tools](#tools)",
    "Limits": "[limits](#limits)",
}
"""What the types of a policy's fields are, in words."""

DRAWN = (
    "VoiceHeard",
    "Recognised",
    "`response.c",
    "`input_audio_buffer.commit",
    "Generation",
    "SpeechFinished",
)
"""What the diagram shows of all that can happen: how these inputs begin."""


def settings_page() -> str:
    """Return the page with a row for each setting."""
    rows = []
    for name, field in GatewaySettings.model_fields.items():
        default = "" if field.default in ((), {}, None) else f"`{field.default}`"
        prefix = "" if field.validation_alias else "VIVAVOCE_"
        rows.append(f"| `{prefix}{name.upper()}` | {default} | {field.description} |\n")
    return SETTINGS + "".join(rows)


def policy_page() -> str:
    """Return the page with every field of a policy, and what it says of itself."""
    tables = {"rules": Rules, "limits": Limits, "tools": ToolRules}
    return POLICY.format(**{name: _fields(struct) for name, struct in tables.items()})


def _fields(struct: Any) -> str:
    """Return a row for each field of a struct, told by the text that stands beneath it."""
    tree = ast.parse(inspect.getsource(struct)).body[0]
    told: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):  # type: ignore[attr-defined]
        if isinstance(node, ast.AnnAssign):
            name = ast.unparse(node.target)
            kinds[name] = KINDS[ast.unparse(node.annotation).removesuffix(" | UnsetType")]
            text = following.value.value if isinstance(following, ast.Expr) else None  # type: ignore[attr-defined]
            told[name] = " ".join(text.replace("``", "`").split()) if text else ""
    return "".join(f"| `{name}` | {kinds[name]} | {text} |\n" for name, text in told.items())


def errors_page() -> str:
    """Return the page with the tree of errors and what each of them says of itself."""
    tree = inspect.getdoc(errors).split("::\n\n")[1].split("\n\n")[0]  # type: ignore[union-attr]
    parts = [ERRORS.format(tree=inspect.cleandoc(tree))]
    for name in errors.__all__:
        kind = getattr(errors, name)
        parts.append(f"\n## {name}\n\n{inspect.getdoc(kind)}\n")
    return "".join(parts)


def compatibility_page() -> str:
    """Return the page with a table for the client's events, the server's, and each object inside of them."""
    parts = [
        COMPATIBILITY,
        _table("## Events of the client", "event", compatibility.CLIENT_EVENTS),
        _table("## Events of the server", "event", compatibility.SERVER_EVENTS),
    ]
    for title, sections in compatibility.OBJECTS:
        parts.append(f"## {title}\n\n")
        parts += [_table(f"### {section.title}", "field", section.rows) for section in sections]
    parts.append(
        RECORDED + "".join(f"| `{row.events}` | {_where(row.where)} | {row.why} |\n" for row in DELIBERATE)
    )
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _where(where: str) -> str:
    return where.strip("()") if where.startswith("(") else f"`{where}`"


def _table(heading: str, what: str, rows: Iterable[compatibility.Row]) -> str:
    lines = [f"{heading}\n\n| {what} | | |\n|---|---|---|\n"]
    for row in rows:
        names = ", ".join(f"`{name}`" for name in row.names)
        lines.append(f"| {names} | {row.status} | {row.note} |\n")
    return "".join(lines)


def state_machine_page() -> str:
    """Return the page with a diagram of the states, and a table of what happens in each of them."""
    rows = table()
    always = _always(rows)
    heading = STATE_MACHINE.format(end=", ".join(END_OF_THE_ITEM), inputs=", ".join(i.title for i in INPUTS))
    parts = [heading, _diagram(rows), "## In every state\n\n| what happens | what is done |\n|---|---|\n"]
    parts[-1] += "".join(f"| {row.input} | {_done(row)} |\n" for row in always)
    known = {row.input for row in always}
    for state, happened in rows.items():
        lines = [
            f"## {state}\n\n{STATES[state][0]}\n\n| what happens | what it leads to | what is done |\n|---|---|---|\n"
        ]
        for row in happened:
            after = "" if row.after == state else str(row.after)
            if row.input not in known and (after or row.effects):
                lines.append(f"| {row.input} | {after} | {_done(row)} |\n")
        parts.append("".join(lines))
    return "\n".join(parts)


def _done(row: Row) -> str:
    return ", ".join(row.effects).replace(", ".join(END_OF_THE_ITEM), "*end of the item*")


def _always(rows: dict[State, list[Row]]) -> list[Row]:
    """Return the rows of what does the same in every state, and ends none."""
    ends = {row.input for state, happened in rows.items() for row in happened if row.after != state}
    done: dict[str, set[tuple[str, ...]]] = {}
    for row in chain.from_iterable(rows.values()):
        done.setdefault(row.input, set()).add(row.effects)
    first = next(iter(rows.values()))
    return [
        row for row in first if row.effects and done[row.input] == {row.effects} and row.input not in ends
    ]


def _diagram(rows: dict[State, list[Row]]) -> str:
    names = {state: f"s{index}" for index, state in enumerate(rows)}
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state}" as {name}' for state, name in names.items()]
    lines.append(f"    [*] --> {next(iter(names.values()))}")
    for state, happened in rows.items():
        drawn = [row for row in happened if row.after in names and row.after != state]
        drawn = sorted(
            (row for row in drawn if row.input.startswith(DRAWN)), key=lambda row: names[row.after]
        )
        for after, causes in groupby(drawn, key=lambda row: names[row.after]):
            label = " / ".join(cause.input.replace("`", "").replace(":", "") for cause in causes)
            lines.append(f"    {names[state]} --> {after}: {label}")
    return "\n".join([*lines, "```", ""])


PAGES = {
    "policy.md": policy_page,
    "settings.md": settings_page,
    "errors.md": errors_page,
    "compatibility.md": compatibility_page,
    "state-machine.md": state_machine_page,
}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make())
