"""What the documentation shows works as it stands there."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from vivavoce.testing import parse_script

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


HOW_TO = blocks("how-to/test-your-app.md", "python")


@pytest.mark.parametrize("code", HOW_TO, ids=[re.search(r"def (test_\w+)", code)[1] for code in HOW_TO])
async def test_an_example_passes(code, tmp_path):
    module = {}
    exec(code, module)
    (test,) = [value for name, value in module.items() if name.startswith("test_")]
    await (test(tmp_path) if "tmp_path" in test.__code__.co_varnames[:1] else test())


@pytest.mark.parametrize("page", ["how-to/test-your-app.md", "reference/script.md"])
def test_the_scripts_can_be_read(page):
    scripts = blocks(page, "yaml")
    assert scripts
    for text in scripts:
        assert parse_script(text).turns


async def vivavoce(*arguments, folder):
    """Start the command in a process of its own."""
    start = "import sys; from vivavoce.cli import main; sys.exit(main())"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", start, *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE
    )


async def test_the_commands_do_what_they_say(tmp_path):
    (tmp_path / "turns.yaml").write_text(blocks("how-to/test-your-app.md", "yaml")[0])
    serve, ask = blocks("how-to/test-your-app.md", "sh")[0].splitlines()
    server = await vivavoce(*serve.split()[1:], "--port", "0", folder=tmp_path)
    url = re.search(r"http://127\.0\.0\.1:\d+", (await server.stdout.readline()).decode())[0]
    assert await server.stdout.readline() == b"Ready after 0.0 s: turns.yaml, 1 turn.\n"
    *words, question = ask.replace("http://127.0.0.1:8000", url).removesuffix('"').split(' "')
    asking = await vivavoce(*words[0].split()[1:], question, folder=tmp_path)
    out, _ = await asking.communicate()
    assert (asking.returncode, b"It is a quarter past three." in out) == (0, True)
    server.terminate()
    await server.communicate()
    assert server.returncode == 0
