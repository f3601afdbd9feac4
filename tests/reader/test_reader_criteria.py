"""Criteria: the default is the paper's; a TOML of one's own is taken, or refused in one line."""

import pytest

from fsrcnn_np.errors import FileError, OptionError
from fsrcnn_np.reader.criteria import SIDES, UNREADABLE, read_criteria
from fsrcnn_np.study.paper.honjo import SCALE, TABLE_2

SCALE_OF_TWO = '[[values]]\nvalue = 1\ntext = "no"\n[[values]]\nvalue = 2\ntext = "yes"\n'


def own(tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_text(text)
    return read_criteria(path)


def test_the_default_is_the_papers():
    found = read_criteria()
    assert [one.name for one in found.criteria] == list(dict.fromkeys(cell.criterion for cell in TABLE_2))
    assert all(tuple(value for value, _ in one.values) == SCALE for one in found.criteria)
    assert [one.name for one in found.criteria if one.unreadable] == ["Visibility of pectoral muscles"]
    assert found.mirrored
    texts = [value["text"] for value in found.criteria[0].as_json()["values"]]
    assert texts[0] == f"{SIDES['left']} strongly preferred"
    assert texts[2] == "no preference"
    assert texts[4] == f"{SIDES['right']} strongly preferred"


def test_values_are_of_the_images_not_of_the_sides():
    found = read_criteria()
    pectoral = found.named("Visibility of pectoral muscles")
    for value in SCALE:
        for swapped in (False, True):
            kept = found.recorded(pectoral, value, swapped)
            assert kept == (6 - value if swapped else value)
            assert found.shown(pectoral, kept, swapped) == value
    assert found.recorded(pectoral, UNREADABLE, True) is None
    assert found.shown(pectoral, None, True) == UNREADABLE


def test_ones_own(tmp_path):
    found = own(tmp_path, 'question = "Is there a mass?"\n' + SCALE_OF_TWO + '[[criteria]]\nname = "Mass"\n')
    (mass,) = found.criteria
    assert [mass.allowed(value) for value in (1, 2, 3, 0, 1.0, True, "1", None)] == [True, True, *[False] * 6]
    assert found.recorded(mass, 1, True) == 1, "not mirrored: what is said holds whatever side"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "no TOML"),
        ("", r"1 to 100 tables \[\[criteria\]\]"),
        ("criteria = 3", r"1 to 100 tables"),
        ('[[criteria]]\nname = "a"', r"no \[\[criteria.values\]\]"),
        (SCALE_OF_TWO + '[[criteria]]\nname = ""', "has the name ''"),
        (SCALE_OF_TWO + '[[criteria]]\nname = "a"\n[[criteria]]\nname = "A"', "has the name 'A'"),
        (SCALE_OF_TWO + '[[criteria]]\nname = "a"\ncolour = 1', "unknown 'colour'"),
        (SCALE_OF_TWO + '[[criteria]]\nname = 3', "name of criterion 1 is no text"),
        ('[[values]]\nvalue = 0\n[[values]]\nvalue = 1\n[[criteria]]\nname = "a"', "found the value 0"),
        ('[[values]]\nvalue = 1\n[[values]]\nvalue = 1\n[[criteria]]\nname = "a"', "found the value 1"),
        ('[[values]]\nvalue = 1\n[[criteria]]\nname = "a"', "two values or more"),
        ('[[values]]\nvalue = 1\ntext = "{0.x}"\n[[values]]\nvalue = 2\n[[criteria]]\nname = "a"', "in braces"),
        ('[[values]]\nvalue = 1\ntext = "{left:>9999}"\n[[values]]\nvalue = 2\n[[criteria]]\nname = "a"', "in braces"),
        (SCALE_OF_TWO + '[[criteria]]\nname = "a\\u0000"', "cannot be printed"),
        ('question = "\\u001b[31m"\n' + SCALE_OF_TWO + '[[criteria]]\nname = "a"', "cannot be printed"),
        (
            'mirrored = true\n[[values]]\nvalue = 1\n[[values]]\nvalue = 2\n[[values]]\nvalue = 5\n'
            '[[criteria]]\nname = "a"',
            "cannot be mirrored",
        ),
        ("mirrored = 1", "allowed are true and false"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path, text, said):
    with pytest.raises(OptionError, match=said) as error:
        own(tmp_path, text)
    assert str(error.value).startswith(str(tmp_path / "own.toml"))
    assert "\n" not in str(error.value)


def test_a_byte_order_mark_is_none_of_the_text(tmp_path):
    assert own(tmp_path, '\ufeffquestion = "q"\n' + SCALE_OF_TWO + '[[criteria]]\nname = "a"').question == "q"


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(FileError, match="give a TOML file"):
        read_criteria(tmp_path / "none.toml")
