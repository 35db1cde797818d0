from html.parser import HTMLParser

from vivavoce.gateway.operations.openapi import OPERATIONS, Operation
from vivavoce.gateway.operations.openapi_page import page
from vivavoce.gateway.operations.openapi_schemas import SCHEMAS


def document(*operations):
    paths = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = operation.described()
    info = {"title": "T", "version": "1", "description": "D"}
    return {"info": info, "paths": paths, "components": {"schemas": SCHEMAS}}


class Elements(HTMLParser):
    """Takes down all elements, and checks that each is closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in {"meta", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_it_is_whole_and_has_every_operation():
    seen = Elements(page(document(*OPERATIONS))).seen
    operations = [attributes["id"] for tag, attributes in seen if tag == "details"]
    assert len(operations) == len(OPERATIONS) + len(SCHEMAS)


def test_nothing_is_inline_and_nothing_from_elsewhere():
    for tag, attributes in Elements(page(document(*OPERATIONS))).seen:
        assert tag not in {"script", "style"}
        assert not {name for name in attributes if name.startswith("on")} | ({"style"} & attributes.keys())
        assert attributes.get("href", "/").startswith("/")


def test_what_it_says_is_no_markup():
    text = page(document(Operation("<b>", "GET", "/<i>", "<u>", "<s>", key=False)))
    for told in ("<b>", "<i>", "<u>", "<s>"):
        assert f">{told}<" not in text
    assert "&lt;u&gt;" in text
