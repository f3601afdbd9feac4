"""The API reference builds whole, and a broken reference in a docstring or a page does not pass."""

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
