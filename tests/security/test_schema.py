"""What the HTTP part says of itself is held against it: Schemathesis makes requests of its description."""

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from tests.gateway.doubles import gateway
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.testing.engine import ScriptedEngine
from vivavoce.testing.script import Script, Turn

SCHEMATHESIS = shutil.which("schemathesis", path=str(Path(sys.executable).parent))

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.timeout(180)
async def test_every_request_gets_an_answer_that_is_described(tmp_path):
    upstream = LocalUpstream(ScriptedEngine(Script(turns=[Turn(say="Hello.")], after="repeat")))
    async with gateway(upstream) as running:
        process = await asyncio.create_subprocess_exec(
            str(SCHEMATHESIS),
            *("run", running.url("/api/openapi.json"), "--checks", CHECKS, "--max-examples", "5"),
            *("--phases", "coverage,fuzzing", "--seed", "7", "--generation-deterministic", "--no-color"),
            *("--exclude-path-regex", "^/web/"),  # files, of which the page's own tests see
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        report = (await process.communicate())[0].decode()
    failures = report.partition("FAILURES")[2]
    assert not failures, failures
    assert "Tested: " in report, report
