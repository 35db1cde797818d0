import re

import pytest

from vivavoce.engine.weights.catalogue import CATALOGUE, Hub, Packages

every_set = pytest.mark.parametrize("weights", CATALOGUE.values(), ids=list(CATALOGUE))


@every_set
def test_files_are_named_by_what_is_in_them(weights):
    assert weights.files
    for file in weights.files:
        assert re.fullmatch(r"[\w.-]+", file.name)
        assert file.size > 0
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert weights.size == sum(file.size for file in weights.files)


@every_set
def test_the_hub_comes_before_packages(weights):
    kinds = [type(source) for source in weights.sources]
    assert kinds == ([Packages] if weights.name == "moonshine-tiny-en" else [Hub, Packages])


@every_set
def test_packages_have_exact_versions_and_bring_every_file(weights):
    packages = weights.sources[-1]
    for part in packages.parts:
        assert re.fullmatch(r"[\w-]+==\d+(\.\d+)+", part.requirement)
    assert len({part.requirement for part in packages.parts}) == len(packages.parts)
    brought = {name for part in packages.parts for name in part.members}
    assert brought == {file.name for file in weights.files}


@every_set
def test_the_licence_is_shipped(weights):
    expected = {"MIT": "MIT License", "Apache-2.0": "Apache License", "BSD-2-Clause": "BSD 2-Clause License"}
    assert expected[weights.licence] in weights.licence_text()


def test_a_set_is_known_by_its_own_name():
    assert all(weights.name == name for name, weights in CATALOGUE.items())
