"""Nothing of a patient outside the objects: not in lines, names of files, metrics, the queue, or temporary files."""

import pydicom
import pytest

from fsrcnn_np.errors import FormatError
from fsrcnn_np.pacs.lines import printable, without_values
from pacs_peers import PLANTED, mammogram, queue, run, save, until

NOBODY = "ARCHIVE@127.0.0.1:9"


def nothing_of_a_patient(text):
    assert [word for word in (*PLANTED, "Geheimnis^Erika", "1.2.826.99.") if word in text] == []
    assert all(c.isprintable() or c == "\n" for c in text)


def odd(number, **values):
    """A mammogram with names in elements where they do not belong."""
    dataset = mammogram(number)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def test_lines_names_metrics_and_queue(serve, tmp_path):
    objects = [
        mammogram(1),
        odd(2, PhotometricInterpretation="GEHEIMNIS ERIKA"),
        odd(3, BurnedInAnnotation="YES", PixelSpacing=None),
        odd(4, BitsAllocated=24, SeriesDescription="Geheimnis"),
        odd(5, BitsStored=4),
        odd(6, ImagerPixelSpacing=None),
    ]
    objects[5]["SeriesNumber"] = pydicom.DataElement("SeriesNumber", "LO", "Geheimnis")
    for number, dataset in enumerate(objects):
        with pydicom.config.disable_value_validation():
            save(dataset, tmp_path / f"{number}.dcm")
    metrics = tmp_path / "metrics.prom"
    service = serve(NOBODY, "--metrics", str(metrics))
    run("send", tmp_path, f"SR@127.0.0.1:{service.port}")
    # the same UID with other bytes, and half an object
    save(odd(1, PatientID="other"), tmp_path / "other.dcm")
    said = run("send", tmp_path / "other.dcm", f"SR@127.0.0.1:{service.port}", status=1)
    assert said.endswith("answered 0xC002\n")
    until(lambda: not queue(tmp_path / "store")[1]["to_derive"])
    text = run("queue", tmp_path / "store")
    assert text.count("nothing was made of it: ") >= 3
    assert service.end() == 0

    nothing_of_a_patient("".join(service.said))
    assert any("refused with 0xC002" in line for line in service.said)
    nothing_of_a_patient(text)
    nothing_of_a_patient(run("queue", tmp_path / "store", "--json"))
    nothing_of_a_patient(metrics.read_text())
    assert 'fsrcnn_pacs_objects{state="received"}' in metrics.read_text()
    assert "fsrcnn_pacs_refused_total 1" in metrics.read_text()
    nothing_of_a_patient("\n".join(path.name for path in (tmp_path / "store").rglob("*")))


def test_a_line_without_the_values_of_its_object(tmp_path):
    path = save(odd(1, StudyDescription="a very\tlong story", BodyPartExamined="BREAST"), tmp_path / "a.dcm")
    error = FormatError(
        f"{path}: (0010,0010) is Geheimnis^Erika, Erika, BREAST; a very long story \x1b[31m of 19530817"
    )
    line = without_values(error, path)
    nothing_of_a_patient(line)
    assert "(0010,0010) is" in line
    assert "BREAST" not in line


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\nb", "a\x00b", "a\u202eb"])
def test_control_characters(text):
    assert printable(text).isprintable()
