"""Both sides for the tests: small mammograms, Debian's Orthanc as the archive, and our service as a process."""

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import warnings
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

ROOT = Path(__file__).parents[2]
#: What must never be seen outside an object; a control character is in one of them.
PLANTED = ("Geheimnis", "Erika", "PID4711", "19530817", "Klinik Musterstadt", "Wort\x07!", "1.2.826.99")
MAMMOGRAPHY = "1.2.840.10008.5.1.4.1.1.1.2"


def mammogram(number, *, study=None, shape=(12, 10), intent="FOR PRESENTATION", fill=None):
    """A whole object with a patient in it."""
    d = Dataset()
    uid = f"1.2.826.99.{number}"
    d.SpecificCharacterSet, d.ImageType = "ISO_IR 100", ["ORIGINAL", "PRIMARY", ""]
    d.SOPClassUID, d.SOPInstanceUID = MAMMOGRAPHY, f"{uid}.1"
    d.StudyInstanceUID, d.SeriesInstanceUID = study or f"{uid}.2", f"{uid}.3"
    d.StudyDate, d.StudyTime, d.StudyID, d.AccessionNumber = "20220101", "101010", "1", "PID4711"
    d.PatientName, d.PatientID, d.PatientBirthDate, d.PatientSex = "Geheimnis^Erika", "PID4711", "19530817", "F"
    d.InstitutionName, d.ReferringPhysicianName = "Klinik Musterstadt", ""
    d.Modality, d.PresentationIntentType, d.SeriesNumber, d.InstanceNumber = "MG", intent, 1, 1
    d.SeriesDescription = "Wort\x07!"
    d.BurnedInAnnotation, d.ImagerPixelSpacing = "NO", ["0.1", "0.1"]
    d.Rows, d.Columns, d.SamplesPerPixel, d.PhotometricInterpretation = *shape, 1, "MONOCHROME2"
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 12, 11, 0
    pixels = np.random.default_rng(number).integers(0, 4096, shape, dtype=np.uint16) if fill is None else fill
    d.add_new("PixelData", "OW", pixels.tobytes())
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return d


def save(dataset, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(true, seconds=60):
    """Wait until something is so, and give it; fail where it does not come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


class Orthanc:
    """An archive of Debian's on ports that were free, its data in a folder."""

    def __init__(self, folder):
        for attempt in range(5):  # a port that was free may be taken by now
            self._start(folder.with_name(f"{folder.name}{attempt}"))
            if until(lambda: self._up() or self.process.poll() is not None) and self.process.poll() is None:
                return
        raise AssertionError("Orthanc does not start")

    def _start(self, folder):
        self.dicom, self.http = free_port(), free_port()
        folder.mkdir()
        config = {
            "StorageDirectory": str(folder), "IndexDirectory": str(folder), "DicomAet": "ARCHIVE",
            "HttpPort": self.http, "DicomPort": self.dicom, "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomModalities": {"ours": ["SR", "127.0.0.1", 1]}, "SaveJobs": False, "ConcurrentJobs": 4,
            "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"], "DicomWeb": {"Enable": True},
        }  # fmt: skip
        path = folder / "orthanc.json"
        path.write_text(json.dumps(config))
        program = "Orthanc" if Path("/usr/sbin/Orthanc").exists() is False else "/usr/sbin/Orthanc"
        self.process = subprocess.Popen([program, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def peer(self):
        return f"ARCHIVE@127.0.0.1:{self.dicom}"

    @property
    def web(self):
        return f"http://127.0.0.1:{self.http}/dicom-web"

    def _up(self):
        with contextlib.suppress(OSError):
            return bool(self.get("/system"))

    def get(self, path, **headers):
        asking = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", headers=headers)
        with urllib.request.urlopen(asking, timeout=20) as answer:
            return answer.read()

    def json(self, path):
        return json.loads(self.get(path))

    def reports_to(self, port):
        """Where our service listens for its answers about storage commitment."""
        body = json.dumps(["SR", "127.0.0.1", port]).encode()
        asking = urllib.request.Request(f"http://127.0.0.1:{self.http}/modalities/ours", data=body, method="PUT")
        urllib.request.urlopen(asking, timeout=20).close()

    def instances(self, study):
        """By QIDO-RS: SOP Instance UIDs of a study."""
        found = json.loads(self.get(f"/dicom-web/studies/{study}/instances", Accept="application/dicom+json") or b"[]")
        return [item["00080018"]["Value"][0] for item in found]

    def download(self, uid, path):
        (one,) = [i for i in self.json("/instances?expand") if i["MainDicomTags"]["SOPInstanceUID"] == uid]
        path.write_bytes(self.get(f"/instances/{one['ID']}/file"))
        return path

    def close(self):
        self.process.terminate()
        self.process.wait(30)


def settings(path, **tables):
    """A TOML file with short waits, and what a test changes."""
    made = {
        "forward": {"first_wait_seconds": 0.1, "longest_wait_seconds": 0.5},
        "commitment": {"linger_seconds": 0.2, "answer_seconds": 5.0},
        "limits": {"idle_seconds": 20.0, "drain_seconds": 10.0, "free_bytes": 1},
    }
    for name, table in tables.items():
        made[name] = made.get(name, {}) | table
    lines = [
        f"[{name}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in table.items()) for name, table in made.items()
    ]
    path.write_text("\n".join(lines))
    return path


class Service:
    """`fsrcnn-np dicom serve` as a process; what it says is kept in `said`."""

    def __init__(self, store, forward, *options, port=0, config=None, code=None, before=None):
        config = config or settings(store.parent / "settings.toml")
        start = ["-c", code] if code else ["-m", "fsrcnn_np"]
        words = ["dicom", "serve", "--ae-title", "SR", "--port", str(port), "--store", str(store)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "FSRCNN_NP_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, *start, *words, "--forward", forward, "--config", str(config), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=before,
        )  # fmt: skip
        self.said, self._reader = [], threading.Thread(target=self._read, daemon=True)
        line = self.process.stdout.readline()
        self._reader.start()
        if "listening" not in line:
            self.process.wait(30)
            self._reader.join(5)
            self.process.stdout.close()
            raise AssertionError("".join(self.said) or "it said nothing")
        self.line = line
        self.port = int(line.split(",")[0].rsplit(":", 1)[1])

    def _read(self):
        with self.process.stderr as stream:
            self.said.extend(stream)

    def kill(self):
        """As a power cut would."""
        self.end(signal.SIGKILL)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(60)
        self.end_reading()
        return status

    def end_reading(self):
        """After the process has ended."""
        self._reader.join(10)
        self.process.stdout.close()


def run(*words, status=0, process=False):
    """Our command; gives what it says on both streams. In a process of its own only where that is what is meant."""
    words = ["dicom", *map(str, words)]
    if process:
        done = subprocess.run(
            [sys.executable, "-m", "fsrcnn_np", *words],
            capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        ended, said = done.returncode, done.stdout + done.stderr
    else:
        from fsrcnn_np.cli import main

        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                ended = main(words)
            except SystemExit as end:
                ended = end.code
        said = out.getvalue() + errors.getvalue()
    assert ended == status, said
    return said


def queue(store):
    """What `fsrcnn-np dicom queue` knows, read by the library itself."""
    from fsrcnn_np.pacs.ledger import Ledger

    ledger = Ledger(store / "ledger.sqlite", read_only=True)
    try:
        return ledger.rows(), ledger.counts()
    finally:
        ledger.close()


def send_once(path, port):
    """Send a mammogram to our service by our own sender; whether it answered 0x0000."""
    from fsrcnn_np.pacs.library import import_pynetdicom
    from fsrcnn_np.pacs.peer import Peer
    from fsrcnn_np.pacs.sending import Link, Outgoing
    from fsrcnn_np.pacs.settings import Limits

    import_pynetdicom()
    link = Link("MOD", Peer("SR", "127.0.0.1", port), None, Limits(idle_seconds=20))
    (outcome,) = link.deliver([Outgoing(0, path, MAMMOGRAPHY, ExplicitVRLittleEndian)])
    return outcome.kind == "sent"
