"""Write the pins of each Home Assistant that the integration is tested with: ``make lock-homeassistant``.

A release has thousands of requirements, most of them of components that no test needs. Those that are needed are read
from the release itself: its own, those of ``COMPONENTS``, and its ``package_constraints.txt``, which comes before what
the test harness asks for, as it does in a Home Assistant that installs an integration. Only the newest release is also
run as a whole, by ``make try-homeassistant`` and the tests in ``real``; only with it are types checked.
"""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
RELEASES = {"2026.4.4": "0.13.325", "2026.10.4": "0.13.375", "2026.11.0": "0.13.375"}
"""Each Home Assistant, and the test harness that fits it; the newest is the one that is run as a whole."""
NEWEST = max(RELEASES, key=lambda release: [int(part) for part in release.split(".")])
COMPONENTS = ("ai_task", "assist_pipeline", "camera", "conversation", "media_player", "stt", "tts")
COMPONENTS_OF_A_WHOLE = (
    "assist_satellite", "backup", "frontend", "hassio", "image_upload", "infrared", "mcp_server",
    "media_source", "mobile_app", "radio_frequency", "system_health", "wyoming",
)  # fmt: skip
"""What ``frontend`` and the base platforms load; the integrations that the tests use."""
BESIDE = ("isal", "mypy", "zlib-ng")
"""What makes a Home Assistant quicker, and what the checks need."""


def uv(*arguments: str | Path) -> None:
    """Run uv; its complaints go to the terminal."""
    subprocess.run([sys.executable, "-m", "uv", *map(str, arguments)], check=True)


def required(components: Path, wanted: tuple[str, ...]) -> set[str]:
    """Return what components ask for, and those that they depend on, by their manifests."""
    found: set[str] = set()
    waiting, seen = list(wanted), set(wanted)
    while waiting:
        manifest = json.loads((components / waiting.pop() / "manifest.json").read_text("utf-8"))
        found.update(manifest.get("requirements", ()))
        new = set(manifest.get("dependencies", ())) - seen
        seen |= new
        waiting += new
    return found


def lock(release: str, harness: str, python: str) -> None:
    """Write the pins of a release."""
    whole = release == NEWEST
    ours = json.loads((ROOT / "custom_components/openai_realtime/manifest.json").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    doubles = project["optional-dependencies"]["testing"]
    with TemporaryDirectory() as folder:
        unpacked = Path(folder) / "release"
        uv(
            "pip",
            "install",
            "--quiet",
            "--python",
            python,
            "--target",
            unpacked,
            "--no-deps",
            f"homeassistant=={release}",
        )
        package = unpacked / "homeassistant"
        wanted = required(package / "components", COMPONENTS + COMPONENTS_OF_A_WHOLE if whole else COMPONENTS)
        exact = {one for one in wanted if "==" in one} | {f"homeassistant=={release}"}
        wanted |= {f"homeassistant=={release}", f"pytest-homeassistant-custom-component=={harness}"}
        wanted |= {*ours["requirements"], *doubles, *(BESIDE if whole else ())}
        source, first = Path(folder) / "requirements.in", Path(folder) / "overrides.txt"
        source.write_text("\n".join(sorted(wanted)))
        constraints = (package / "package_constraints.txt").read_text("utf-8")
        first.write_text("\n".join([constraints, *sorted(exact)]))
        pins = REQUIREMENTS / f"homeassistant-{release.rpartition('.')[0]}.txt"
        uv(
            "pip", "compile", "--quiet", "--upgrade", "--python", python, "--no-emit-index-url", "--no-header",
            "--no-annotate", "--override", first, "-o", pins, source,
        )  # fmt: skip


if __name__ == "__main__":
    found = subprocess.run(
        ["bash", ROOT / "tests/homeassistant/python"], check=True, capture_output=True, text=True
    )
    for release, harness in RELEASES.items():
        lock(release, harness, os.fspath(found.stdout.strip()))
