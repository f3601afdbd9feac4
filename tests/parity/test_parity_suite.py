"""The suite itself: it passes as it stands, and nothing can be broken without a line that names vector and stage."""

from dataclasses import replace

import numpy as np
import pytest

import piqe_np.engine
import piqe_np.matlab
import piqe_np.reference
import piqe_np.score
from fsrcnn_np.engine import llvm as engine
from fsrcnn_np.images import binning, colour, imresize
from fsrcnn_np.network import reference as network
from harm import nudged
from parity import checks, compare, store, suite, tolerances


def test_what_the_repository_holds_passes():
    vectors, known, rows = suite.own_rows()
    assert [row.details for row in rows if row.status != suite.PASS] == []
    stages = {row.stage for row in rows}
    by = {row.by for row in rows}
    assert stages >= {
        stage for stage in known if stage.split(".")[0] in ("piqe", "network", "upscale", "imresize", "colour")
    }
    assert by >= {"reference", "numba", "NumPy"}
    assert len(vectors) == len(store.read_index()["vectors"])


# Goldens: a wrong one, even with the right sha256, is seen by the stage that it belongs to.


def test_every_wrong_golden_fails_where_it_belongs(vectors, goldens, known):
    for vector in vectors:
        golden = goldens.results[vector.id]
        found = {}
        for check in checks.checks_of(vector):
            if check.by == "reference" or check.by == "NumPy":
                found.setdefault(check.field, check)  # a layer by itself before the whole network
        assert set(found) >= set(golden) - {"grey"}
        for field, check in found.items():
            assert suite.run_check(vector, check, golden, known).passed
            wrong = np.array(golden[field], order="C")
            wrong = nudged(wrong) if wrong.dtype.kind in "bu" else wrong + 0.01 * (1 + np.abs(wrong))
            finding = suite.run_check(vector, check, dict(golden) | {field: wrong.astype(golden[field].dtype)}, known)
            assert not finding.passed, (vector.id, field)
            assert f"vector {vector.id}, stage {check.stage} ({field}," in finding.line("the oracle")


def test_a_golden_that_is_missing_fails_by_name(vectors, goldens, known):
    vector = vectors[0]
    rest = {name: value for name, value in goldens.results[vector.id].items() if name != "mu"}
    lines = failures([vector], replace(goldens, results={vector.id: rest}), known)
    assert any(f"vector {vector.id}, stage piqe.mu" in line and "is missing" in line for line in lines)
    lines = failures([vector], replace(goldens, results={}), known)
    assert {line.split(": ")[-1] for line in lines} >= {"the oracle's x is missing", "the oracle's score is missing"}


@pytest.mark.parametrize("harm", ["delete", "cut"])
def test_a_golden_file_that_is_gone_names_every_vector_and_stage(tmp_path, harm):
    import shutil

    folder = shutil.copytree(store.FOLDER, tmp_path / "vectors")
    (path,) = folder.glob("goldens_*.mat")
    path.unlink() if harm == "delete" else path.write_bytes(path.read_bytes()[:5000])
    _, _, rows = suite.own_rows(folder)
    lines = [line for row in rows if row.status == suite.FAIL for line in row.details]
    for id, stages in store.read_index()["goldens"][path.name]["results"].items():
        for stage in stages:
            assert any(line.startswith(f"vector {id}, stage golden.{stage} ") for line in lines)


# Tolerances.


def test_every_tolerance_has_its_seal(known):
    seals = store.read_index()["tolerances"]
    assert suite._seal_row(known, [], seals).status == suite.PASS
    for stage, tolerance in known.items():
        others = {name: value for name, value in known.items() if name != stage}
        wider = tolerance.value * 1.01 or 1.0
        for wrong in (
            others,
            others | {stage: replace(tolerance, value=wider)},
            others | {stage: replace(tolerance, value=tolerance.value / 2)} if tolerance.value else others,
            others | {stage: replace(tolerance, kind="ulp")},
            others | {stage: replace(tolerance, unit="")} if tolerance.unit else others,
        ):
            row = suite._seal_row(wrong, [], seals)
            assert row.status == suite.FAIL
            assert f"every vector, stage {stage}: its tolerance" in row.details[0]
    row = suite._seal_row(known | {"new.stage": tolerance}, [], seals)
    assert "stage new.stage: its tolerance is not sealed" in row.details[0]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("value = 0", "value = -1"),
        ("value = 0", "value = nan"),
        ("value = 0", "value = true"),
        ("value = 0", 'value = "0"'),
        ("value = 0\n", ""),
        ('kind = "bit"\n', ""),
    ],
)
def test_a_tolerance_that_is_none_is_named(tmp_path, monkeypatch, text, fault):
    path = tmp_path / "tolerances.toml"
    path.write_text(tolerances.FILE.read_text(encoding="utf-8").replace(text, fault, 1), encoding="utf-8")
    monkeypatch.setattr(tolerances, "FILE", path)
    lines = [line for row in suite.own_rows()[2] if row.status == suite.FAIL for line in row.details]
    assert any("every vector, stage piqe.grey: tolerances.toml: " in line for line in lines)
    assert any("stage piqe.grey (grey, reference against" in line and line.startswith("vector ") for line in lines)


def test_tolerances_that_cannot_be_read_fail_everything(tmp_path, monkeypatch):
    path = tmp_path / "tolerances.toml"
    monkeypatch.setattr(tolerances, "FILE", path)
    for content in (None, "kind ="):
        if content:
            path.write_text(content)
        rows = suite.own_rows()[2]
        assert all(row.status == suite.FAIL for row in rows)


# Planted errors.


def stage_examples(vectors, goldens):
    """Stage → a vector, check and golden of it; and a made-up pair for the stages that need images, R or MATLAB."""
    found = {}
    for vector in vectors:
        for check in checks.checks_of(vector):
            found.setdefault(check.stage, []).append((vector, check, goldens.results[vector.id]))
    return found


def test_twice_each_tolerance_fails_and_half_of_it_passes(vectors, goldens, known):
    examples = stage_examples(vectors, goldens)
    for stage, tolerance in known.items():
        if stage not in examples:  # printed, published, statistics, matlab: by value, as their rows are made
            answer = {"bit": np.float64(3), "flips": np.bool_(True), "ties": np.uint8(9)}.get(
                tolerance.kind, np.float64(3)
            )
            unit = np.float64(9.0 if tolerance.kind == "ties" else 0.5)
            examples[stage] = [
                (
                    store.Vector(stage, "piqe", "", "", {}),
                    checks.Check(stage, "", "x", lambda _, a=answer, u=unit: checks.Answer(a, u)),
                    {"x": answer},
                )
            ]
        shown = [suite.plant(vector, check, golden, tolerance) for vector, check, golden in examples[stage]]
        assert [] in shown, f"{stage}: no vector had a place for a planted error"
        assert all(lines in ([], None) for lines in shown), (stage, shown)


def test_a_blind_comparison_is_found_by_the_controls(monkeypatch):
    monkeypatch.setitem(compare.MEASURES, "absolute", lambda *_: compare.Difference(0.0))
    rows = suite.own_rows()[2]
    (row,) = [row for row in rows if row.stage == "controls"]
    assert row.status == suite.FAIL
    assert any("stage piqe.score: a planted error of 2 tolerances passes" in line for line in row.details)


def test_a_deaf_comparison_is_found_by_the_controls(monkeypatch):
    monkeypatch.setitem(compare.MEASURES, "flips", lambda *_: compare.Difference(1.0))
    (row,) = [row for row in suite.own_rows()[2] if row.stage == "controls"]
    assert any("stage piqe.noise: a planted error of 0.5 tolerances fails" in line for line in row.details)


# The code: every step, made wrong, fails at its own stage.


def four_digits(image):
    grey = image.astype(float) @ [0.2989, 0.5870, 0.1140]
    return (grey if image.dtype.kind == "f" else np.floor(grey + 0.5)).astype(image.dtype)


def ten_segments(blocks):
    edges = np.stack([blocks[..., 0, :], blocks[..., -1, :], blocks[..., :, 0], blocks[..., :, -1]], axis=-2)
    segments = np.lib.stride_tricks.sliding_window_view(edges, 6, axis=-1)[..., :10, :]
    return (segments.std(-1, ddof=1) < 0.1).any((-1, -2))


def single_filter(values):
    return original_gaussian(values.astype(np.float32)).astype(float)


def sharper(length, scale):
    indices, weights = original_resize(length, scale)
    return indices, weights * np.abs(weights) ** 0.001


def flipped_kernels(rows, layer, border):
    return original_convolution(rows, layer._replace(weight=layer.weight[..., ::-1, ::-1]), border)


def off_by_one_pixel(*arguments, **options):
    return np.roll(original_deconvolution(*arguments, **options), 1, axis=1)


def engine_off(*arguments, **options):
    return original_engine(*arguments, **options) + np.float32(1e-5)


def engine_truncates(plane, *arguments, **options):
    out = original_upscale(plane, *arguments, **options)
    return np.maximum(out, 1) - 1 if plane.dtype.kind == "u" else out


def measure_blind(*arguments, **options):
    blocks = original_measure(*arguments, **options)
    return blocks._replace(noise=~blocks.noise & (blocks.variance > 0.1))


original_convolution, original_deconvolution = network.convolution, network.deconvolution
original_engine, original_upscale = engine.forward, engine.upscale_plane
original_measure, original_gaussian = piqe_np.engine.measure, piqe_np.reference.gaussian
original_mscn, original_variance = piqe_np.reference.mscn, piqe_np.reference.variance
original_pool, original_resize = piqe_np.reference.pool, imresize.contributions
original_bin, original_noise = binning.bin2x2, piqe_np.reference.noise
original_ycbcr = colour.rgb2ycbcr_uint8

MISTAKES = [
    ("piqe.grey", "grey", "piqe", piqe_np.matlab, "rgb2gray", four_digits),
    ("piqe.x", "x", "piqe", piqe_np.reference, "round_half_away", np.round),
    ("piqe.mu", "mu", "piqe", piqe_np.reference, "gaussian", single_filter),
    ("piqe.sigma", "sigma", "piqe", piqe_np.reference, "gaussian", lambda x: original_gaussian(x) * (1 + 1e-13)),
    ("piqe.z", "z", "piqe", piqe_np.reference, "mscn", lambda x: original_mscn(x) * (1 + 1e-12)),
    ("piqe.v", "v", "piqe", piqe_np.reference, "variance", lambda *a: original_variance(*a) * 255 / 256),
    ("piqe.active", "active", "piqe", piqe_np.reference, "ACTIVE_VARIANCE", 0.5),
    ("piqe.artifact", "artifact", "piqe", piqe_np.reference, "noticeable_artifact", ten_segments),
    ("piqe.noise", "noise", "piqe", piqe_np.reference, "noise", lambda *a: ~original_noise(*a)),
    ("piqe.score", "score", "piqe", piqe_np.score, "pool", lambda blocks: original_pool(blocks) + 3e-9),
    ("piqe.masks", "noise_mask", "piqe", piqe_np.engine, "measure", measure_blind),
    ("network.layer", "feature_extraction", "network", network, "convolution", flipped_kernels),
    ("network.layer", "expanding", "network", network, "prelu", lambda maps, slope: np.maximum(maps, 0)),
    ("network.layer", "deconvolution", "network", network, "deconvolution", off_by_one_pixel),
    ("network.forward64", "deconvolution", "network", network, "deconvolution", off_by_one_pixel),
    ("network.engine32", "deconvolution", "network", engine, "forward", engine_off),
    ("network.integers", "deconvolution", "network", engine, "upscale_plane", engine_truncates),
    ("upscale.integers", "enlarged", "upscale", colour, "RED", 0.257),
    ("imresize.float", "resized", "imresize", imresize, "contributions", sharper),
    ("imresize.integers", "resized", "imresize", imresize, "to_integers", lambda v, d: np.clip(v, 0, 255).astype(d)),
    ("colour.rgb2ycbcr", "ycbcr", "rgb2ycbcr", colour, "rgb2ycbcr_uint8", lambda rgb: original_ycbcr(rgb[..., ::-1])),
    ("colour.bin2x2", "binned", "bin2x2", binning, "bin2x2", lambda image: original_bin(image) * np.float32(1.000001)),
]  # fmt: skip


def failures(vectors, goldens, known):
    return [
        finding.line(goldens.oracle) for finding in suite.findings_of(vectors, goldens, known) if not finding.passed
    ]


@pytest.mark.parametrize(
    ("stage", "field", "kind", "module", "name", "wrong"), MISTAKES, ids=[f"{m[0]}-{m[4]}" for m in MISTAKES]
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a wrong step may divide by what it should not
def test_a_wrong_step_of_ours_fails_at_its_stage(
    monkeypatch, vectors, goldens, known, stage, field, kind, module, name, wrong
):
    monkeypatch.setattr(module, name, wrong)
    lines = failures([vector for vector in vectors if vector.kind == kind], goldens, known)
    assert any(line.startswith(f"vector {kind}-") and f", stage {stage} ({field}, " in line for line in lines), lines[
        :5
    ]


def test_a_step_that_raises_fails_at_its_stage(monkeypatch, vectors, goldens, known):
    monkeypatch.delattr(piqe_np.reference, "noticeable_artifact")
    vector = vectors[0]
    lines = failures([vector], goldens, known)
    assert any(f"vector {vector.id}, stage piqe.artifact" in line and "AttributeError" in line for line in lines)


def test_a_module_of_ours_that_is_gone_fails_every_vector_that_needs_it(monkeypatch, vectors, goldens, known):
    import sys

    monkeypatch.setitem(sys.modules, "fsrcnn_np.images.binning", None)
    lines = failures([vector for vector in vectors if vector.kind == "bin2x2"], goldens, known)
    assert {line.split(",")[0] for line in lines} == {f"vector {v.id}" for v in vectors if v.kind == "bin2x2"}
    assert all("stage bin2x2.all" in line for line in lines)


def test_other_orders_of_summation_turn_nothing():
    from parity import summation

    blocks, found = summation.measured(8)
    assert blocks > 100
    assert all(moved < 1e-9 and turned == 0 for moved, turned in found.values())
    assert max(moved for moved, _ in found.values()) > 0
