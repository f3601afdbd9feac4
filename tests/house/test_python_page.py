"""docs/python.md, run from its first line to its last, in an empty folder but for its picture."""

import re
from pathlib import Path

import numpy as np

import fsrcnn_np
from fsrcnn_np.files import write_text

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


def test_every_line_runs(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 4096, (60, 70))
    write_text(tmp_path / "mammogram.pgm", "P2 70 60 4095\n" + "\n".join(" ".join(map(str, row)) for row in values))
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert len(blocks) > 6
    names: dict[str, object] = {}
    exec(compile("\n".join(blocks), PAGE.name, "exec"), names)
    assert np.array_equal(fsrcnn_np.read("large.tif").pixels, names["large"])
    assert fsrcnn_np.read("large.tif").data_range == 4095
    assert Path("figure.png").exists()
    assert names["model"] == fsrcnn_np.load_weights("mine.h5")
    said = capsys.readouterr()
    assert said.out.startswith("large.jpg: JPEG cannot hold uint16; it holds uint8; ")
    assert not Path("large.jpg").exists()


def test_every_public_function_is_named():
    page = PAGE.read_text(encoding="utf-8")
    functions = [name for name in fsrcnn_np.__all__ if name.islower() and name != "__version__"]
    told = {name for name in functions if f"fsrcnn_np.{name}" in page}
    assert set(functions) - told <= {"forward", "imresize"}  # the bare network, and a part: README's table has them
