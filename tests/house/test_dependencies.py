"""docs/dependencies.md and the bill of materials name everything that pyproject.toml asks for."""

import json
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import dependencies  # noqa: E402

PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
BILL = json.loads((ROOT / "docs" / "sbom.cdx.json").read_text(encoding="utf-8"))
CORE, EXTRAS = dependencies.requirements()
SHIPPED = {extra: asked for extra, asked in EXTRAS.items() if extra not in (*dependencies.TOOLS, "torch")}


@pytest.mark.parametrize("name", [dependencies.name_of(one.name) for one in CORE])
def test_each_of_the_core_is_justified(name):
    (row,) = re.findall(rf"^\| {name} \| ([^|]+) \| ([^|]+) \| ([\d.]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    version, licence, size, why = row
    assert why == dependencies.WHY[name]
    assert licence != "not stated"
    assert float(size) > 0
    assert next(one for one in CORE if dependencies.name_of(one.name) == name).specifier.contains(version)


def test_nothing_else_is_justified():
    assert list(dependencies.WHY) == [dependencies.name_of(one.name) for one in CORE]


@pytest.mark.parametrize("extra", SHIPPED)
def test_each_extra_has_a_row(extra):
    (brings,) = re.findall(rf"^\| `{extra}` \| ([^|]+) \| [\d.]+ \|$", PAGE, re.MULTILINE)
    for one in SHIPPED[extra]:
        if one.name != "fsrcnn-np":
            assert re.search(rf"(^|, ){dependencies.name_of(one.name)} \([^)]", brings), one.name


def test_the_bill_has_all_of_it():
    assert BILL["bomFormat"] == "CycloneDX"
    versions = {dependencies.name_of(item["name"]): item["version"] for item in BILL["components"]}
    for one in [*CORE, *(one for asked in SHIPPED.values() for one in asked)]:
        if one.name != "fsrcnn-np":
            assert one.specifier.contains(versions[dependencies.name_of(one.name)]), one
    assert all(item["purl"].startswith("pkg:pypi/") for item in BILL["components"])


def test_what_requirements_bring():
    found = dependencies.closure([Requirement("imageio"), Requirement("fsrcnn-np[completion]")])
    assert found == {"imageio", "numpy", "pillow", "shtab"}
    assert dependencies.mebibytes(["tqdm"]) > 0.05
    assert dependencies.licence("pydicom").startswith("MIT")
