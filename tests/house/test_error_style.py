"""Every exception that the sources raise is one of ours, and its message one line that says what to do.

Read off the sources: a raise that no test reaches has its style, too.
"""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for package in ("fsrcnn_np", "piqe_np") for path in (ROOT / package).rglob("*.py"))
OURS = (
    "OptionError", "NotThereError", "MissingExtraError", "FileError", "DiskFullError", "FormatError", "ImageError",
    "WeightsError", "WebError", "NoPicture", "OutputExists", "OutputDiffers", "Contradiction", "NotWhole", "TooLarge",
)  # fmt: skip
#: functions that make one of ours, or pass one on
MAKERS = (
    "unreadable", "exists", "differs", "held_against", "_cannot_write", "damaged", "_foreign", "_gone", "error",
    "kind", "next", "pop", "type",
)  # fmt: skip
#: others, and the only files that raise them: Python's protocols, and what is caught within the file or its room
OTHERS = {
    "AttributeError": ("fsrcnn_np/__init__.py", "piqe_np/__init__.py", "piqe_np/on_demand.py"),
    "reason": ("fsrcnn_np/pacs/web.py",),  # caught before, and raised in its place
    "enlarged": ("fsrcnn_np/batch.py",),
    "TypeError": ("piqe_np/score.py",),
    "ArgumentError": ("fsrcnn_np/command_options.py",),
    "ArgumentTypeError": ("fsrcnn_np/cli.py", "fsrcnn_np/command_options.py", "fsrcnn_np/command_parser.py",
                          "fsrcnn_np/piqe_table.py", "fsrcnn_np/range_table.py"),
    "ValueError": ("fsrcnn_np/convert/torch/module.py", "fsrcnn_np/files/dicom/coordinates.py",
                   "fsrcnn_np/study/csv_rows.py", "fsrcnn_np/study/cohort.py", "fsrcnn_np/study/table.py"),
    "OSError": ("fsrcnn_np/files/dicom/opening.py", "fsrcnn_np/pacs/incoming.py", "fsrcnn_np/pacs/web_sending.py"),
    "TimeoutError": ("fsrcnn_np/pacs/incoming.py",),
    "IncompleteRead": ("fsrcnn_np/pacs/web.py",),
    "OtherBytes": ("fsrcnn_np/pacs/ledger.py",),
    "Unknown": ("fsrcnn_np/reader/people.py",),
    "Refusal": ("fsrcnn_np/reader/server.py",),
    "Stopped": ("piqe_np/stopping.py",),
    "SystemExit": ("piqe_np/unbroken.py",),
    "InterruptedError": ("fsrcnn_np/upscale_files.py",),
}  # fmt: skip
#: says what is allowed, or what to do
REMEDY = re.compile(
    r"; \S|\b(allowed|expected|needed|give|takes?|needs?|are read|is read|pip install|please report)\b|, not [A-Z]"
)
#: pass on a message that has its own remedy, or quote a library's; or another function words it whole
PASSED_ON = re.compile(r"(.*[ :(])?\{(error|why|one_line\(error\))\}\)?|\{[^{}]*\}", re.DOTALL)
#: without a remedy in the line: what a peer did, which the page tells of, and what is no failure
TOLD_ELSEWHERE = ("WebError", "NotWhole", "TooLarge", "NoPicture", "Contradiction")


def raises():
    for path in FILES:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        caught = {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
        for node in nodes:
            if isinstance(node, ast.Raise) and node.exc is not None and ast.unparse(node.exc) not in caught:
                yield path, node


RAISES = list(raises())


def name_of(raised):
    """The class, or the function that makes the exception."""
    called = raised.func if isinstance(raised, ast.Call) else raised
    while isinstance(called, ast.IfExp):
        called = called.body
    while isinstance(called, ast.Call):
        called = called.func
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def text_of(path, node):
    """A message with its values as {expression}; a constant of the module stands for itself."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(path, part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return text_of(path, node.value)
    if isinstance(node, ast.BinOp):
        return text_of(path, node.left) + text_of(path, node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return text_of(path, node.func.value)
    names = ast.unparse(node).split(".")
    if names[-1].isupper() and all(map(str.isidentifier, names)):
        value = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name in names:
            value = getattr(value, name, None)
        if isinstance(value, str):
            return value
    return f"{{{ast.unparse(node)}}}"


def test_there_are_many():
    assert len(RAISES) > 700


def test_whatever_is_raised_is_one_of_ours():
    foreign = []
    for path, node in RAISES:
        name, place = name_of(node.exc), path.relative_to(ROOT).as_posix()
        if name not in OURS and name not in MAKERS and place not in OTHERS.get(name, ()) and not name.startswith("_"):
            foreign.append(f"{place}:{node.lineno}: {name}")
    assert foreign == []


MESSAGES = [
    (f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", name_of(node.exc), text_of(path, node.exc.args[0]))
    for path, node in RAISES
    if isinstance(node.exc, ast.Call) and node.exc.args and name_of(node.exc) in OURS
]


def test_each_has_a_message():
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, node in RAISES
        if name_of(node.exc) in OURS and not (isinstance(node.exc, ast.Call) and node.exc.args)
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("what", "broken"),
    [
        ("begins small: the command's and the file's name stand before it", r"[A-Z][a-z]+ "),
        ("ends without a full stop", r".*[^.]\.\Z"),
        ("is one line", r".*\n"),
        ("begs no pardon", r"(?i).*\b(sorry|oops|please(?! report)|error:)"),
    ],
)
def test_style(what, broken):
    assert [place for place, _, text in MESSAGES if re.match(broken, text, re.DOTALL)] == [], what


def test_each_says_what_is_allowed_or_what_to_do():
    without = [
        f"{place}: {name}: {text}"
        for place, name, text in MESSAGES
        if name not in TOLD_ELSEWHERE
        and not REMEDY.search(re.sub(r"\{[^{}]*\}", "…", text))
        and not PASSED_ON.fullmatch(text)
    ]
    assert without == []
