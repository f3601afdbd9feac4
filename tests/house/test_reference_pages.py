"""The API reference builds whole, and a broken reference in a docstring or a page does not pass."""

import importlib.util
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import reference  # noqa: E402


def test_every_public_name_is_in_it(tmp_path):
    assert reference.build(tmp_path) == []
    page = (tmp_path / "fsrcnn_np.html").read_text(encoding="utf-8")
    assert 'id="upscale_batch"' in page
    without = page.replace('id="upscale_batch"', "")
    assert list(reference.missing("fsrcnn_np", without)) == [
        "fsrcnn_np.upscale_batch is public, and not in the reference"
    ]
    wrong = page + "<code>fsrcnn_np.files.no_such(path)</code>"
    assert list(reference.missing("fsrcnn_np", wrong)) == [
        "reference of fsrcnn_np: fsrcnn_np.files.no_such is no object"
    ]


def test_no_page_refers_to_what_is_not_there():
    pages = [path for pattern in reference.PAGES for path in ROOT.glob(pattern)]
    assert {"README.md", "CONTRIBUTING.md", "piqe.md"} <= {path.name for path in pages}
    assert [problem for path in pages for problem in reference.broken(path)] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[a](gone.md)", "no file gone.md"),
        ("![a](gone.png)", "no file gone.png"),
        ("[a](#nowhere)", "no heading #nowhere"),
        ("see `fsrcnn_np.upscayle(image)`", "fsrcnn_np.upscayle is no object"),
        ("see `piqe_np.PiqeResult.scores`", "piqe_np.PiqeResult.scores is no object"),
        ("`python -m parity.gone --write`", "no module parity.gone"),
    ],
)
def test_each_kind_is_found(text, told, tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    (tmp_path / "page.md").write_text(f"# A heading: 1 – `two`\n\n{text}\n", encoding="utf-8")
    (problem,) = reference.broken(tmp_path / "page.md")
    assert problem.endswith(told) or told in problem
    assert problem.startswith("page.md: ")


def test_what_is_there_passes(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    text = """# A heading: 1 – `two`

    [a](#a-heading-1--two) [b](page.md) [c](https://example.org/x) `fsrcnn_np.upscale(image)`, `fsrcnn_np.files.read`,
    `piqe_np.PiqeResult.score`, fsrcnn_np/cli.py, `python -m parity`, `python -m pip install x`
    """
    (tmp_path / "page.md").write_text(text.replace("    ", ""), encoding="utf-8")
    assert list(reference.broken(tmp_path / "page.md")) == []


@pytest.mark.parametrize(
    ("script", "missing", "options", "extra"),
    [
        ("docs/reference.py", "pdoc", ["-o", "x"], "docs"),
        ("docs/night.py", "pydicom", [], "dicom"),
        ("docs/dependencies.py", "packaging", [], "test"),
        ("weights/train.py", "torch", ["--images", "x"], "train"),
        ("weights/together.py", "torch", ["x"], "train"),
        ("weights/examine_piqe.py", "torch", ["--images", "x", "--checkpoints", "x"], "train"),
        ("weights/evaluate.py", "matplotlib", ["--images", "x"], "plot"),
    ],
)
def test_without_its_extra_a_script_is_one_line(script, missing, options, extra, tmp_path, monkeypatch, capsys):
    class Absent:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == missing:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    for name in [name for name in sys.modules if name.partition(".")[0] in (missing, "train", "needs_torch")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else object())
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    monkeypatch.setattr(sys, "path", [str((ROOT / script).parent), *sys.path])
    monkeypatch.setattr(sys, "argv", [script, *options])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / script), run_name="__main__")
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{missing.replace('torch', 'PyTorch')}: pip install 'fsrcnn-np[{extra}]'" in line
    assert not list(tmp_path.iterdir())
