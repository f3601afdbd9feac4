"""A study of three cases, made once; each test reads a copy. A browser for each file of tests."""

import shutil

import pytest

from reader_study import make_study


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def results(made, tmp_path):
    return shutil.copytree(made, tmp_path / "results")


@pytest.fixture(scope="module")
def browser():
    from served import chromium

    with chromium() as browser:
        yield browser
