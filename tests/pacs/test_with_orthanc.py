"""What a hospital sees: a modality sends, the archive gets the original and its SR in one study, and keeps both."""

import subprocess

import numpy as np
import pydicom
import pytest

from fsrcnn_np import upscale
from fsrcnn_np.files.dicom.check import check_files
from pacs_peers import free_port, mammogram, queue, run, save, send_once, until


def committed(store, count):
    return until(lambda: queue(store)[1]["committed"] == count)


def test_an_original_and_its_sr_are_filed_in_one_study(orthanc, serve, tmp_path):
    service = serve(orthanc.peer, "--calling", "MOD")
    orthanc.reports_to(service.port)
    source = save(mammogram(11), tmp_path / "a.dcm")
    words = ["storescu", "-aet", "MOD", "-aec", "SR", "127.0.0.1", str(service.port), str(source)]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    committed(tmp_path / "store", 2)

    original = "1.2.826.99.11.1"
    found = orthanc.instances("1.2.826.99.11.2")
    assert original in found
    assert len(found) == 2
    (derived,) = set(found) - {original}
    back = orthanc.download(original, tmp_path / "original.dcm")
    result = orthanc.download(derived, tmp_path / "sr.dcm")
    assert check_files(back, result) == []
    assert np.array_equal(pydicom.dcmread(back).pixel_array, pydicom.dcmread(source).pixel_array)

    kept = pydicom.dcmread(result).pixel_array
    assert np.array_equal(kept, upscale(pydicom.dcmread(source).pixel_array, data_range=4095))

    text = run("queue", tmp_path / "store", process=True)
    assert text.startswith("received 0, derived 0, checked 0, sent 0, committed 2, parked 0")
    assert service.end() == 0


def test_what_is_not_treated_goes_on_unchanged(orthanc, serve, tmp_path):
    service = serve(orthanc.peer)
    orthanc.reports_to(service.port)
    raw = save(mammogram(12, intent="FOR PROCESSING"), tmp_path / "a.dcm")
    said = run("send", raw, f"SR@127.0.0.1:{service.port}")
    assert said == f"{raw}: sent\n"
    committed(tmp_path / "store", 1)
    assert orthanc.instances("1.2.826.99.12.2") == ["1.2.826.99.12.1"]
    back = orthanc.download("1.2.826.99.12.1", tmp_path / "back.dcm")
    assert pydicom.dcmread(back) == pydicom.dcmread(raw)


def test_what_stays_is_kept(orthanc, serve, tmp_path):
    service = serve(orthanc.peer, tables={"forward": {"rest": False, "originals": False}})
    orthanc.reports_to(service.port)
    save(mammogram(13, intent="FOR PROCESSING"), tmp_path / "a.dcm")
    save(mammogram(14), tmp_path / "b.dcm")
    assert send_once(tmp_path / "a.dcm", service.port)
    assert send_once(tmp_path / "b.dcm", service.port)
    committed(tmp_path / "store", 1)
    assert orthanc.instances("1.2.826.99.13.2") == []
    (derived,) = orthanc.instances("1.2.826.99.14.2")
    assert derived.startswith("2.25.")
    rows, _ = queue(tmp_path / "store")
    assert [(row.state, row.forward) for row in rows] == [("received", 0), ("received", 0), ("committed", 1)]
    assert all((tmp_path / "store" / "objects" / row.file).is_file() for row in rows)


@pytest.mark.parametrize("how", ["query", "qido"])
def test_an_archive_is_asked_whether_it_has_them(how, orthanc, serve, tmp_path):
    number = {"query": 15, "qido": 16}[how]
    service = serve(orthanc.peer, tables={"commitment": {"how": how, "qido_url": orthanc.web}})
    save(mammogram(number), tmp_path / "a.dcm")
    assert send_once(tmp_path / "a.dcm", service.port)
    committed(tmp_path / "store", 2)
    assert len(orthanc.instances(f"1.2.826.99.{number}.2")) == 2


def test_a_compressed_original_is_sent_as_it_came(orthanc, serve, tmp_path):
    service = serve(orthanc.peer)
    orthanc.reports_to(service.port)
    dataset = mammogram(17, shape=(64, 64))
    save(dataset, tmp_path / "plain.dcm")
    packed = pydicom.dcmread(tmp_path / "plain.dcm")
    packed.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    packed.save_as(tmp_path / "a.dcm")
    run("send", tmp_path / "a.dcm", f"SR@127.0.0.1:{service.port}")
    committed(tmp_path / "store", 2)
    back = pydicom.dcmread(orthanc.download("1.2.826.99.17.1", tmp_path / "back.dcm"))
    assert back.file_meta.TransferSyntaxUID == pydicom.uid.RLELossless
    assert back.PixelData == packed.PixelData


def test_an_archive_that_is_away_gets_everything_later(orthanc, serve, tmp_path):
    """First nobody listens where the archive should be; after a restart with the right port all arrives."""
    service = serve(f"ARCHIVE@127.0.0.1:{free_port()}")
    save(mammogram(18), tmp_path / "a.dcm")
    assert send_once(tmp_path / "a.dcm", service.port)
    until(lambda: queue(tmp_path / "store")[1]["checked"] == 1 and queue(tmp_path / "store")[0][0].tries > 1)
    assert "takes no association" in run("queue", tmp_path / "store")
    assert service.end() == 0
    assert orthanc.instances("1.2.826.99.18.2") == []
    again = serve(orthanc.peer)
    orthanc.reports_to(again.port)
    committed(tmp_path / "store", 2)
    assert len(orthanc.instances("1.2.826.99.18.2")) == 2
