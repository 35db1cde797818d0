"""The browser decodes telephone audio as Python does."""

import json
import shutil
import subprocess

import pytest

from vivavoce.audio.g711 import decode_pcma, decode_pcmu
from vivavoce.web import FOLDER

NODE = shutil.which("node")
ALL_CODES = bytes(range(256))
DECODE = """
const {decodePcmu, decodePcma} = await import(process.argv[1]);
const codes = Uint8Array.from({length: 256}, (_, code) => code);
console.log(JSON.stringify([decodePcmu(codes), decodePcma(codes)].map((samples) => Array.from(samples))));
"""


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_every_code_is_the_same_sample():
    command = [NODE, "--input-type=module", "-e", DECODE, (FOLDER / "g711.js").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    pcmu, pcma = json.loads(done.stdout)
    assert pcmu == (decode_pcmu(ALL_CODES) * 32768).tolist()
    assert pcma == (decode_pcma(ALL_CODES) * 32768).tolist()
