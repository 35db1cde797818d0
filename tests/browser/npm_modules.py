"""Packages of npm as modules that a browser loads, without a bundler: as much of one as the examples need."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "react": "react/cjs/react.production.js",
    "react/jsx-runtime": "react/cjs/react-jsx-runtime.production.js",
    "react-dom": "react-dom/cjs/react-dom.production.js",
    "react-dom/client": "react-dom/cjs/react-dom-client.production.js",
    "scheduler": "scheduler/cjs/scheduler.production.js",
}


def installed() -> bool:
    """Tell whether `npm install` has been here."""
    return all((ROOT / "node_modules" / path).exists() for path in PACKAGES.values())


def as_modules() -> dict[str, str]:
    """Return the text of a module for each of the packages, by name, and ``all``, which they are made of."""
    texts = {name: (ROOT / "node_modules" / path).read_text() for name, path in PACKAGES.items()}
    bodies = ",\n".join(
        f"{name!r}: (module, exports, require, process) => {{\n{text}\n}}" for name, text in texts.items()
    )
    modules = {
        "all": "const made = {};\n"
        f"const bodies = {{{bodies}}};\n"
        "export function load(name) {\n"
        "  if (!made[name]) {\n"
        "    made[name] = {exports: {}};\n"
        "    bodies[name](made[name], made[name].exports, load, {env: {NODE_ENV: 'production'}});\n"
        "  }\n"
        "  return made[name].exports;\n"
        "}\n"
    }
    for name, text in texts.items():
        exported = sorted(set(re.findall(r"^exports\.(\w+) =", text, re.MULTILINE)))
        modules[name] = (
            f"import {{load}} from '/npm/all';\nexport const {{{', '.join(exported)}}} = load({name!r});\n"
        )
    return modules
