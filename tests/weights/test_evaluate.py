"""The model card's PIQE is the number that `compare` gives: one definition, in the stored class."""

import sys
from pathlib import Path

import numpy as np
import pytest

import fsrcnn_np
from fsrcnn_np import files
from fsrcnn_np.study.scores import BICUBIC, EXPORT, NATIVE, ORIGINAL, SR

sys.path.insert(0, str(Path(__file__).parents[2] / "weights"))

import evaluate
import examine_piqe

MODELS = {"bicubic": evaluate.BICUBIC, "x2": "x2", "x2-small": "x2-small"}


@pytest.fixture(params=[("uint8", 255), ("uint16", 4095), ("uint16", 65535)], ids=str)
def written(request, tmp_path) -> tuple[Path, float]:
    dtype, white = request.param
    rng = np.random.default_rng(1)
    coarse = rng.random((18, 20)).repeat(6, 0).repeat(6, 1)
    image = (coarse * 0.8 + rng.normal(0, 0.03, coarse.shape)).clip(0, 1) * white
    files.write(tmp_path / "a.png", np.floor(image + 0.5).astype(dtype))
    return tmp_path / "a.png", white


def test_the_card_s_scores_are_those_of_compare(written):
    path, white = written
    models = {name: model if name == "bicubic" else fsrcnn_np.load_weights(model) for name, model in MODELS.items()}
    card = evaluate.mammogram(path, models, {"a.png": white})["piqe"]
    for name, model in list(models.items())[1:]:
        found = fsrcnn_np.compare(fsrcnn_np.read(path), weights=model, data_range=white)
        for key, scoring in (("native", NATIVE), ("8 bits", EXPORT)):
            assert card["original"][key] == found.piqe(ORIGINAL, scoring)
            assert card["bicubic"][key] == found.piqe(BICUBIC, scoring)
            assert card[name][key] == found.piqe(SR, scoring)


def test_the_examination_s_scores_are_those_of_compare(written):
    path, white = written
    model = fsrcnn_np.load_weights("x2-small")
    rows = examine_piqe.examine(path, {"x2-small": model}, {"early": model}, {"a.png": white})
    found = fsrcnn_np.compare(fsrcnn_np.read(path), weights=model, data_range=white)
    for name, scoring in (("model: x2-small", EXPORT), ("scored: native depth", NATIVE)):
        for image in (ORIGINAL, BICUBIC, SR):
            assert rows["rows"][name][image]["score"] == found.piqe(image, scoring)
    assert rows["snapshots"]["early"] == rows["rows"]["model: x2-small"]["SR"]
    assert "early" in examine_piqe.tables({"a.png": rows})
