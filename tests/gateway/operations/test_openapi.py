import json
import re

import pytest

from tests.gateway.doubles import ScriptedUpstream
from vivavoce.gateway import GatewaySettings, create_app
from vivavoce.gateway.history.history import History
from vivavoce.gateway.operations.openapi import OPERATIONS, describe


def application(**settings):
    settings = GatewaySettings(**settings)
    history = None if settings.history == "off" else History(settings, upstream="scripted")
    return create_app(settings, ScriptedUpstream(), history=history)


@pytest.fixture
def document(tmp_path):
    return describe(application(history="text", history_folder=tmp_path).router)


def test_the_table_has_every_route_and_no_other(tmp_path):
    app = application(history="text", history_folder=tmp_path)
    routes = {
        (route.method, route.resource.canonical) for route in app.router.routes() if route.method != "HEAD"
    }
    assert routes == {(operation.method, operation.path) for operation in OPERATIONS}


def test_what_is_not_served_is_not_described():
    paths = describe(application(history="off", metrics="off").router)["paths"]
    assert "/api/v1/sessions" not in paths
    assert "/metrics" not in paths
    assert "/health" in paths


def test_whatever_is_referred_to_is_there(document):
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        found = document
        for step in reference.split("/"):
            found = found[step]


def test_each_operation_has_its_own_name(document):
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names) == len(OPERATIONS)


def test_parameters_of_paths_are_described(document):
    for path, operations in document["paths"].items():
        for operation in operations.values():
            described = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert described == set(re.findall(r"{(\w+)}", path))


def test_who_needs_no_key_is_told_so(document):
    assert document["paths"]["/health"]["get"]["security"] == []
    assert document["paths"]["/v1/realtime"]["get"]["security"] == [{"bearer": []}, {"token": []}]
    assert "401" in document["paths"]["/v1/realtime"]["get"]["responses"]
