"""A little of what the scripts beside do in thousands: the same bits whatever the work is cut into, and a soak."""

import os
import threading

import same_bits
import soak
from fsrcnn_np.engine.llvm import target


def test_random_strips_bands_threads_layouts_and_processors(monkeypatch):
    """So many runs of a small model for each processor, by four callers at once."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    found = []
    for name in same_bits.targets():
        same_bits.aim(name)
        found += same_bits.part(25, runs=25, seed=7, kinds=3)
    rows = same_bits.counted(found)
    assert [row for row in rows if row.hashes > 1] == []
    networks = [row for row in rows if row.kind.startswith(same_bits.UPSCALE)]
    assert len(networks) == 3 * len({target.NAMED[name].fma for name in same_bits.targets()})
    assert min(row.runs for row in networks) > 1
    assert len({value for _, value in found}) == len(rows)  # other pixels have other hashes


def test_a_soak_leaves_no_file_and_no_thread():
    """Libraries' own pools, which begin sometime and stay, are seen by the script."""
    before = threading.active_count()
    states = [found for _, found in soak.soak(36, 4, 3, kinds=soak.QUICK)]
    assert len(states) == 4
    assert states[1].files == states[3].files
    assert threading.active_count() == before
