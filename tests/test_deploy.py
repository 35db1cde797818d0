"""The files for a deployment name what there is. They are not run here: that takes Docker."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.gateway.operations.certificates import write_certificate
from vivavoce.gateway import GatewaySettings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
SETTINGS = {f"VIVAVOCE_{name.upper()}" for name in GatewaySettings.model_fields} | {"VIVAVOCE_CACHE"}


@pytest.fixture
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.mark.parametrize("file", ["Dockerfile", "compose.yaml"])
def test_settings_that_are_named_exist(file):
    named = set(re.findall(r"^\s*(VIVAVOCE_\w+)[=:]", (DEPLOY / file).read_text(), re.MULTILINE))
    named |= set(re.findall(r"\bENV (VIVAVOCE_\w+)", (DEPLOY / file).read_text()))
    assert named
    assert named <= SETTINGS


def test_what_is_copied_is_there_and_not_left_out():
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE):
        for name in line.split():
            assert (ROOT / name).exists(), name
            assert name.split("/")[0] in sent, name


def test_extras_that_are_installed_exist():
    extras = re.search(r"^ARG EXTRAS=(\S+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


def test_a_gateway_has_time_to_drain(compose):
    gateway = compose["services"]["gateway1"]
    minutes = int(gateway["stop_grace_period"].removesuffix("m"))
    assert int(gateway["environment"]["VIVAVOCE_DRAIN_SECONDS"]) < 60 * minutes


def test_services_depend_on_others_that_there_are(compose):
    services = compose["services"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        assert set(service["networks"]) <= set(compose["networks"])
    backends = re.findall(
        r"^\s+server \w+ (\w+):8000 check$", (DEPLOY / "haproxy.cfg").read_text(), re.MULTILINE
    )
    assert backends == [name for name in services if name.startswith("gateway")]


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="there is no HAProxy on this machine")
def test_haproxy_understands_its_file(tmp_path):
    cert, key = write_certificate(tmp_path)
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "all.pem").write_bytes(cert.read_bytes() + key.read_bytes())
    text = (DEPLOY / "haproxy.cfg").read_text()
    file = tmp_path / "haproxy.cfg"
    file.write_text(text.replace("/etc/haproxy/certificates/", f"{tmp_path}/certificates/"))
    done = subprocess.run(
        [shutil.which("haproxy"), "-c", "-f", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
