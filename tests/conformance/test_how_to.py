"""What the documentation tells to do with OpenAI's packages works as it stands, but for the address."""

import ast
import re

from tests.conformance import node

PAGE = (node.ROOT / "docs" / "how-to" / "use-openais-packages.md").read_text()
END = "\nsession.transport.on('turn_done', () => session.close());"


def examples(language, server):
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return [code.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}") for code in found]


async def run(code, **names):
    await eval(compile(code, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)


async def test_python(server, capsys):
    with_package, with_agents = examples("python", server)
    await run(with_package)
    assert capsys.readouterr().out == "Hi there. How are you?"
    played = []
    await run(with_agents, play=played.append)
    assert len(b"".join(played)) == 2 * 1200 * len("Hi there. How are you?")


@node.needs_agents
async def test_javascript(server):
    (code,) = examples("js", server)
    play = "const play = (data) => console.log(data.byteLength);\n"
    told = await node.run("--input-type=module", "-", program=play + code + END)
    assert sum(map(int, told.split())) == 2 * 1200 * len("Hi there. How are you?")
