"""The description of the HTTP part as a page: plain HTML, without any script."""

from collections.abc import Iterable
from html import escape
from typing import Any

__all__ = ["page"]


def page(document: dict[str, Any]) -> str:
    """Return the page of an OpenAPI document that `openapi.describe` made."""
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    info = document["info"]
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(found)}" for tag, found in by_tag.items())
    schemas = "".join(_schema(name, schema) for name, schema in document["components"]["schemas"].items())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(info['title'])} over HTTP</title>"
        '<link rel="icon" href="/web/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/web/api.css">'
        f"</head><body><main><h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>"
        f"<p>{escape(info['description'])}</p>"
        '<p>For programs: <a href="/api/openapi.json">openapi.json</a>.</p>'
        f"{sections}<h2>Schemas</h2>{schemas}</main></body></html>\n"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    key = "needs a key" if operation["security"] else "for everybody"
    parameters = [
        (parameter["name"], parameter["in"], _kind(parameter["schema"]), parameter["description"])
        for parameter in operation.get("parameters", ())
    ]
    sent = [
        (kind, _kind(body["schema"]))
        for kind, body in operation.get("requestBody", {}).get("content", {}).items()
    ]
    answers = [
        (status, answer.get("description", ""), ", ".join(answer.get("content", ())))
        if "$ref" not in answer
        else (status, "refused, as Error", "application/json")
        for status, answer in operation["responses"].items()
    ]
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><b>{escape(method.upper())}</b> '
        f"<code>{escape(path)}</code> <span>{escape(operation['summary'])}</span></summary><p>{key}</p>"
        + _table(("parameter", "in", "type", "what it is"), parameters)
        + _table(("body", "schema"), sent)
        + _table(("status", "answer", "content"), answers)
        + "</details>"
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    fields = [
        (field, _kind(of), "always" if field in required else "perhaps")
        for field, of in schema.get("properties", {}).items()
    ]
    return (
        f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code> '
        f"<span>{escape(schema.get('description', ''))}</span></summary>"
        f"{_table(('field', 'type', 'there'), fields)}</details>"
    )


def _kind(schema: dict[str, Any]) -> str:
    """Tell in a word or two what a schema lets through."""
    match schema:
        case {"$ref": reference}:
            return str(reference).rpartition("/")[2]
        case {"enum": values}:
            return " | ".join(map(str, values))
        case {"anyOf": kinds}:
            return " | ".join(map(_kind, kinds))
        case {"type": "array", "items": items}:
            return f"list of {_kind(items)}"
        case {"type": kind}:
            return str(kind)
    return "anything"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
