"""One Orthanc for all tests of this folder; it runs where Debian's packages do (tests/run.sh installs them)."""

import sys

import pytest

from pacs_peers import Orthanc, Service, settings

collect_ignore_glob = ["test_*"] if sys.platform == "win32" else []  # they kill and limit processes as POSIX does


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory):
    if sys.platform != "linux":
        pytest.skip("Orthanc is tested against as Debian's package")
    archive = Orthanc(tmp_path_factory.mktemp("archive") / "data")
    yield archive
    archive.close()


@pytest.fixture
def serve(tmp_path):
    """Start the service on a store of the test's own; what is still running at the end is stopped."""
    running = []

    def start(forward, *options, tables=None, **more):
        config = settings(tmp_path / "settings.toml", **(tables or {}))
        running.append(Service(tmp_path / "store", forward, *options, config=config, **more))
        return running[-1]

    yield start
    for service in running:
        if service.process.poll() is None:
            service.end()
