"""A database that cannot be used is let go of at once: one that stayed open would keep others from it."""

import os
from pathlib import Path

import pytest

from fsrcnn_np.errors import FsrcnnError
from fsrcnn_np.pacs.store import Store
from fsrcnn_np.reader.criteria import read_criteria
from fsrcnn_np.reader.log import Log
from fsrcnn_np.study.store import Store as Results

OPENINGS = {
    "lock.sqlite": Store,
    "ledger.sqlite": Store,
    "reading.sqlite": lambda folder: Log(folder / "reading.sqlite", read_criteria()),
    "study.lock": lambda folder: Results(folder, None, {}),
    "study.sqlite": lambda folder: Results(folder, None, {}),
}


def open_in(folder):
    """This process's open files there."""
    links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return [
        Path(os.readlink(link)).name for link in links if os.path.lexists(link) and folder.name in os.readlink(link)
    ]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="Linux tells which files are open")
@pytest.mark.parametrize("name", OPENINGS)
def test_what_is_no_database(name, tmp_path):
    (tmp_path / name).write_bytes(b"no database" * 100)
    with pytest.raises(FsrcnnError) as caught:  # whose traceback keeps what leaks from being collected
        OPENINGS[name](tmp_path)
    assert caught.value.__traceback__
    assert open_in(tmp_path) == []
