"""What the documentation tells of conversations that go on works as it stands, but for the address and the time."""

import ast
import re
from pathlib import Path

import pytest

from vivavoce.client.retrying import FATAL_CLOSES, FATAL_CODES, RETRYABLE_STATUS, Reconnect, Window
from vivavoce.testing import Script, ScriptedEngine, Turn, serve_scripted

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "keep-a-conversation-going.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

SESSIONS = [
    (0.3, [Turn(say="Hi.")], r"(Just a moment: Your session hit .*\n)+Here I am again\.\n"),
    (3600, [Turn(expect="My name is Ada.", say="Hello, Ada.")], r"renewal \d \[\]\n"),
    (3600, [Turn(expect="Tell me a story.", say="Once upon a time.")], r"Once upon a time\.\n"),
]
"""How long a session lasts, what is said in it, and what the example prints."""


@pytest.mark.parametrize(
    ("example", "lifetime", "turns", "printed"),
    [(example, *session) for example, session in zip(EXAMPLES, SESSIONS, strict=True)],
)
async def test_examples(example, lifetime, turns, printed, capsys):
    engine = ScriptedEngine(Script(turns=turns, seed=1), lifetime=lifetime, complete=False)
    async with serve_scripted(engine) as url:
        source = example.replace("http://127.0.0.1:8000/v1", url).replace(
            "renew_after=1800", "renew_after=0.3"
        )
        code = compile(source, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        await eval(code, {"__name__": "example"})
    assert re.fullmatch(printed, capsys.readouterr().out)


def test_the_numbers_are_those_of_the_code():
    table = PAGE[PAGE.index("## When it is not tried again") :]
    for number in (*FATAL_CLOSES, *RETRYABLE_STATUS):
        assert str(number) in table
    for code in FATAL_CODES:
        assert f"`{code}`" in table
    policy = Reconnect()
    assert f"up to {policy.first_wait:g} s at first" in table
    assert f"never more than {policy.longest_wait:g} s" in table
    assert policy.attempts == 10
    assert "after ten attempts" in table
    assert f"lasts for {policy.steady:g} s" in table
    assert f"the last {policy.hold:g} s (`hold`)" in PAGE
    assert Window.of(3600) == Window(3600 - 300, 3600 - 15)
    assert "five minutes before" in PAGE
