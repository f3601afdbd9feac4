"""The benchmarks' own parts: the rewritten graph is the same network, a case measures, the table tells."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import bicubic, colour, engines, errors, graphs, page, peak, small, stages, table, turns
from fsrcnn_np.engine import ENGINES
from fsrcnn_np.engine.llvm import winograd
from fsrcnn_np.network import reference
from models import random_weights

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("rewritten", [False, True])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_torch_module_is_the_same_network(rewritten, scale):
    weights = random_weights(np.random.default_rng(0), (7, 3, 2), scale, "zero", dtype=np.float32)
    image = np.random.default_rng(1).random((9, 14), np.float32)
    module = graphs.torch_module(weights, rewritten=rewritten)
    with torch.inference_mode():
        result = module(torch.from_numpy(image)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(result, reference.forward(image, weights, dtype=np.float64), rtol=0, atol=1e-5)


def case(**asked):
    command = [sys.executable, "-m", "benchmarks.case", json.dumps(asked)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_cases(tmp_path):
    common = {
        "peer": "fsrcnn-np", "form": "new result", "shape": (40, 50), "path": str(tmp_path / "model.h5"),
        "threads": 1, "repeats": 3, "seconds": 60,
    }  # fmt: skip
    assert case(mode="write", **common) == {}
    assert case(mode="check", **common) == {"apart": 0}
    timed = case(mode="time", **common)
    assert len(timed["walls"]) == len(timed["cpus"]) == 3
    assert min(timed["walls"]) > 0
    assert 1e7 < timed["memory"] < 1e10
    assert "failed" in case(mode="time", **(common | {"path": "nowhere.h5"}))


def test_small_pictures_are_timed_on_one_thread_and_on_several():
    head, _, *lines = small.text(2, turns=1, sides=(8, 17)).splitlines()
    assert [head.count("|")] * 2 == [line.count("|") for line in lines[:2]]
    assert [line.split("|")[1].strip() for line in lines[:2]] == ["8×8", "17×17"]
    assert all(cell.count("→") == 2 for cell in lines[0].split("|")[2:-1])


def test_peak_and_stages_are_positive():
    measured = peak.gflops(1, repeats=1)
    assert measured.wall > 0
    assert measured.cpu > 0
    assert all(stage.microseconds(runs=1) > 0 for stage in stages.stages())


def test_an_impossible_share_is_refused():
    assert table.share(90.0, 100.0) == "90%"
    assert table.share(126.0, 100.0, 0.99) == "126%"
    assert table.share(171.0, 100.0) == "peak disturbed"
    assert table.share(90.0, 100.0, 0.5) == "peak disturbed"


def test_rounds_are_enough_for_the_clock(monkeypatch):
    """From a kernel that takes a microsecond a round: a tenth of a second, and some more."""
    clock = [0.0]

    def kernel(address, rounds):
        clock[0] += rounds * 1e-6

    monkeypatch.setattr(peak.time, "thread_time", lambda: clock[0])
    assert 100_000 <= peak._rounds(kernel, np.zeros(1)) <= 130_000


def test_the_share_of_ports_needs_a_known_processor(monkeypatch):
    monkeypatch.setattr(peak, "PORTS", {})
    monkeypatch.setattr(peak, "SECONDS", 0.001)
    assert peak.gflops(2, repeats=1).of_ports is None
    monkeypatch.setattr(peak, "PORTS", {peak.llvm.get_host_cpu_name(): (4, 2)})
    assert peak.gflops(1, repeats=1).of_ports > 0


def test_table_and_picture(tmp_path):
    store = table.Store(tmp_path / "results.json")
    common = {
        "suite": "network",
        "shape": (3328, 4096),
        "threads": 2,
        "peak": 200.0,
        "peak_cpu": 100.0,
        "memory": 2**30,
    }
    store.add({"peer": "fsrcnn-np", "form": "new result", "walls": [9.0], "cpus": [9.0], **common})
    store.add({"peer": "fsrcnn-np", "form": "new result", "walls": [2.0, 1.0, 3.0], "cpus": [4.0], **common})
    store.add({"peer": "Other", "form": "rewritten", "version": "7", "walls": [8.0], "cpus": [16.0], **common})
    store.add({"suite": "network", "peer": "Absent", "form": "eager", "missing": "not installed (absent)"})
    store.add({"suite": "cold", "peer": "Other", "form": "eager", "threads": 2, "walls": [0.5], "cpus": [0.4]})
    store.add(
        {"suite": "mammogram", "peer": "fsrcnn-np", "form": "PNG", "shape": (10, 10), "threads": 2, "walls": [5.0]}
    )
    text = table.text(table.Store(store.path).content)
    ours = "| 3328×4096 | 2 | **fsrcnn-np** | new result | 3 | 2.000 | 4.00 | 170 | 85% | 85% | 1.00 | 1.0 | 1.0 |"
    assert ours in text
    assert "| Other 7 | rewritten | 1 | 8.000 | 16.00 | 42 | 21% | 21% | 1.00 | 4.0 | 4.0 |" in text
    assert "not installed (absent)" in text
    assert "| Other | eager | 1 | 0.50 | 0.40 |" in text
    assert "5.00 s for the command, from its start on; the paper asks for under 60 s.\n" in text
    inside = {"form": "TIFF", "shape": (10, 10), "threads": 2, "walls": [5.0], "file": [3.0], "network": [2.0]}
    store.add({"suite": "mammogram", "peer": "fsrcnn-np"} | inside)
    text = table.text(store.content)
    assert "runs already 3.00 s, the network alone 2.00 s: 1.50 times the network, and the command 2.50 times." in text
    table.picture(store.content, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 5000


@pytest.mark.parametrize("finite", errors.POINTS.values(), ids=errors.POINTS)
def test_the_transforms_of_any_points_are_a_correlation(finite):
    a, b, g = errors.transforms(finite)
    rng = np.random.default_rng(0)
    rows, kernel = rng.random(len(finite) + 1), rng.random(len(finite) - 2)
    np.testing.assert_allclose(a @ ((g @ kernel) * (b @ rows)), np.correlate(rows, kernel), rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("filtering", "points"), [(winograd.MAPPING, "0, ±3/4, ±3/2"), (winograd.EXTRACTION, "0, ±1/2, ±1, ±2")]
)
def test_the_points_simulated_are_the_engine_s(filtering, points):
    finite = errors.POINTS[points]
    _, _, g = errors.transforms(finite)
    own = [finite.index(p) for p in (0, *(sign * p for p in filtering.pairs for sign in (1, -1)))]
    kernel = np.random.default_rng(0).random((2, 3, filtering.taps, filtering.taps))
    expected = np.einsum("pk,ockx->opcx", g[[*own, -1]], kernel)
    np.testing.assert_allclose(filtering.filters(kernel), expected, rtol=1e-14)


def test_errors_of_the_engines_stay_within_the_table_s_magnitude():
    image = np.random.default_rng(0).random((40, 50), np.float32)
    table = errors.engines([graphs.benchmark_weights()], {"noise": image})
    found = [float(line.split("|")[2]) for line in table.splitlines()[2:]]
    assert len(found) == len(ENGINES) + 1  # and the fast one with the maps in the model's own order
    assert 0 < max(found) < 1e-5


@pytest.mark.parametrize("what", ["network", "upscale", "batch", "piqe", "imresize"])
def test_versions_take_turns(what, capsys):
    tree = str(Path(turns.__file__).parents[1])
    assert turns.main([tree, tree, "--what", what, "--size", "40x48", "--rounds", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(f"| {what}, 40x48, one thread |")
    assert all(float(cell) > 0 for line in lines[2:] for cell in line.split("|")[2:5])


def test_a_version_that_does_not_compute_is_said(tmp_path):
    (tmp_path / "fsrcnn_np.py").write_text("raise SystemExit(3)")
    with pytest.raises(SystemExit, match="did not compute"):
        turns.main([str(tmp_path)])


def test_engines_take_turns(tmp_path):
    weights = graphs.benchmark_weights()
    assert 0 < engines.disagreement(weights) < engines.AGREE
    head, _, llvm, numba = engines.ratio(weights, 40, 1).splitlines()
    assert head.startswith("| engine | wall s")
    assert llvm.startswith('| "llvm" | ')
    assert llvm.endswith(" | 1.00 | 1.00 |")
    assert numba.startswith('| "numba" | ')
    wall, cpu = engines.first_call("llvm", str(tmp_path))
    assert wall > 0
    assert cpu > 0


def test_engines_that_disagree_are_not_timed(capsys, monkeypatch):
    monkeypatch.setattr(engines, "AGREE", 0.0)
    assert engines.main([]) == 1
    assert "not timed" in capsys.readouterr().out


def test_the_pages_tables_are_those_of_the_results():
    for path, parts in page.pages().items():
        text = path.read_text("utf-8")
        assert page.filled(text, parts) == text, f"run `python -m benchmarks page` for {path.name}"


def test_peers_that_are_missing_are_named():
    rows = [
        {"suite": "network", "peer": "fsrcnn-np", "form": "new result", "target": "8 float32 lanes",
         "shape": page.LARGE, "threads": 2, "walls": [2.0], "peak": 200.0, "memory": 2**30},
        {"suite": "network", "peer": "PyTorch", "form": "eager", "missing": "not installed (torch)"},
    ]  # fmt: skip
    machine = {"cpu": "x", "vectors": "8 float32 lanes, FMA", "date": "d", "python": "1", "numpy": "2", "llvmlite": "3"}
    text = page.network({"machine": machine, "rows": rows})
    assert "| **fsrcnn-np**, new result | 1 | 2.00 | 85% | 1.0 | 1.00 |" in text
    assert "| PyTorch, eager | not installed (torch) |" in text
    assert "| OpenVINO | not measured |" in text


def test_bicubic_beside_others(monkeypatch):
    monkeypatch.setattr(bicubic, "SHAPE", (20, 30))
    rows = list(bicubic.measured(1, 1))
    assert [row["peer"] for row in rows] == list(bicubic.RESIZERS) * 2
    installed = {name for name, (package, _) in bicubic.RESIZERS.items() if bicubic.version(package) is not None}
    assert installed >= {"fsrcnn-np", "Pillow"}  # OpenCV comes with the extra `bench`
    assert all(min(row["walls"]) > 0 for row in rows if row["peer"] in installed)
    monkeypatch.setattr(bicubic, "version", lambda package: None if "opencv" in package else "1")
    told = {row["peer"]: row.get("missing") for row in bicubic.measured(1, 1)}
    assert told == {"fsrcnn-np": None, "Pillow": None, "OpenCV": "not installed (opencv-contrib-python-headless)"}


def test_colour_beside_grey(monkeypatch):
    monkeypatch.setattr(colour, "SHAPE", (20, 30))
    rows = list(colour.measured(1, 2))
    assert [row["form"] for row in rows] == ["uint8", "uint16", "float32"]
    assert all(len(row["walls"]) == len(row["grey"]) == 2 and row["memory"] > 1e7 for row in rows)
    told = table.line(rows[0] | {"walls": [3.0, 5.0, 4.0], "grey": [2.0, 2.0, 4.0], "memory": 2**28})
    assert told == "colour: fsrcnn-np, uint8, 20×30, 1 threads: 4.000 s, grey 2.000 s: 1.50 times; 256 MiB"


def test_growth_has_a_slope():
    sides = (256, 512, 1024, 2048, 4096)
    rows = [
        {
            "suite": "growth",
            "shape": [side, side],
            "threads": 2,
            "walls": [side**2 * 1e-7],
            "memory": 10**8 + 20 * side**2,
        }
        for side in sides
    ]
    time, memory = page.slopes({"rows": rows})
    assert time == pytest.approx(1)
    assert memory == pytest.approx(1, abs=0.1)
