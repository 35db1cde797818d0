"""Write what the console knows of the protocol and of prices, from where both are kept. A test compares.

Run it from anywhere: ``.venv/bin/python docs/reference/generate_web.py``.
"""

import ast
import dataclasses
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from vivavoce.client.prices import AS_OF, PRICES
from vivavoce.protocol import client_events, response_events, server_events, session, session_params, tools
from vivavoce.protocol.client_events import ClientEvent
from vivavoce.protocol.server_events import ServerEvent
from vivavoce.protocol.session_params import RealtimeSessionParams

WEB = Path(__file__).parents[2] / "src" / "vivavoce" / "web"

TEXT = """\
/**
 * What the console knows of the protocol. Made by docs/reference/generate_web.py: change it in vivavoce.protocol.
 */

/**
 * Each event, who sends it, and what it is.
 * @type {{[type: string]: {dir: 'C' | 'S', says: string}}}
 */
export const EVENTS = %s;

/**
 * Each field of a session that may be asked for, by its dotted path; those of a kind of turn detection behind its name.
 * @type {{[path: string]: {type: string, says: string, choices?: string[], minimum?: number, maximum?: number}}}
 */
export const FIELDS = %s;
"""

PRICE_LIST = """\
/**
 * What tokens cost, as far as it is known. Made by docs/reference/generate_web.py: change it in vivavoce.client.prices.
 */

/** When it was read off OpenAI's pages of its models: year and month. */
export const AS_OF = %s;

/**
 * US dollars for a million tokens, by model.
 * @type {{[model: string]: import('./prices.js').Price}}
 */
export const KNOWN = %s;
"""

SKIPPED = {"include", "prompt", "tools", "tracing", "truncation"}
"""Fields of a session that are made of more than one value; the composer of events sends them."""


def _events() -> dict[str, dict[str, str]]:
    rows = {}
    for direction, union in (("C", ClientEvent), ("S", ServerEvent)):
        for kind in get_args(union):
            says = " ".join(inspect.cleandoc(kind.__doc__).split("\n\n")[0].split()).replace("``", "")
            rows[kind.__struct_config__.tag] = {"dir": direction, "says": says}
    return dict(sorted(rows.items()))


def _notes() -> dict[str, dict[str, str]]:
    """Return the strings that stand below fields, by class and field."""
    notes: dict[str, dict[str, str]] = {}
    for module in (session_params, session, tools, client_events, server_events, response_events):
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                notes[node.name] = dict(_noted(node))
    return notes


def _noted(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for one, after in zip(node.body, node.body[1:], strict=False):
        match one, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(says))),
            ):
                yield name, re.sub(r" \[[^\]]*\]", "", " ".join(says.split())).replace("``", "")


class _Fields:
    def __init__(self) -> None:
        self.schema = msgspec.json.schema(RealtimeSessionParams)["$defs"]
        self.notes = _notes()
        self.found: dict[str, dict[str, Any]] = {}

    def walk(self, name: str, prefix: str = "") -> None:
        for field, value in self.schema[name]["properties"].items():
            if field == "type" or (not prefix and field in SKIPPED):
                continue
            self._add(f"{prefix}{field}", value, self.notes.get(name, {}).get(field, ""))

    def _add(self, path: str, value: dict[str, Any], says: str) -> None:
        kinds = [one for one in value.get("anyOf", [value]) if one.get("type") != "null"]
        for kind in [inner for one in kinds for inner in one.get("anyOf", [one])]:
            if "$ref" not in kind:
                self._leaf(path, kind, says)
                continue
            name = kind["$ref"].rsplit("/", 1)[1]
            tag = self.schema[name]["properties"].get("type", {}).get("enum")
            self.walk(name, f"{path}.{tag[0]}." if tag and len(tag) == 1 else f"{path}.")
            if tag and len(tag) > 1:
                self._leaf(f"{path}.type", {"enum": tag}, self.schema[name].get("description", ""))

    def _leaf(self, path: str, kind: dict[str, Any], says: str) -> None:
        row = self.found.setdefault(path, {"type": "string", "says": says})
        if "enum" in kind:
            row["choices"] = [*row.get("choices", []), *kind["enum"]]
        if "type" in kind:
            row["type"] = kind["type"]
        row |= {bound: kind[bound] for bound in ("minimum", "maximum") if bound in kind}


def protocol() -> str:
    """Return the module with what is known of the protocol."""
    fields = _Fields()
    fields.walk("RealtimeSessionParams")
    return TEXT % (
        json.dumps(_events(), indent=2, ensure_ascii=False),
        json.dumps(fields.found, indent=2, ensure_ascii=False),
    )


def prices() -> str:
    """Return the module with the prices that are known."""
    table = {model: dataclasses.asdict(price) for model, price in PRICES.items()}
    return PRICE_LIST % (json.dumps(AS_OF), json.dumps(table, indent=2))


MODULES = {WEB / "protocol.js": protocol, WEB / "measure" / "price-list.js": prices}
"""What is written where."""


if __name__ == "__main__":
    for target, module in MODULES.items():
        target.write_text(module())
