"""What peers may do wrong: each gets its status or loses its connection, and the next one is served."""

import hashlib
import resource
import socket
import threading

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_context

from pacs_peers import MAMMOGRAPHY, mammogram, queue, run, save, settings, until
from pacs_peers import Service as Process

NOBODY = "ARCHIVE@127.0.0.1:9"
LEFT = {"forward": {"originals": False, "rest": False}, "treat": {"modalities": ["none"]}}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """One that keeps what it gets, with narrow limits; the tests of this file share it."""
    folder = tmp_path_factory.mktemp("service")
    limits = {"object_bytes": 3 << 20, "idle_seconds": 2.0, "associations": 6, "pdu_bytes": 16384}
    config = settings(folder / "settings.toml", limits=limits, **LEFT)
    made = Process(folder / "store", NOBODY, "--calling", "MOD", config=config)
    made.store = folder / "store"
    yield made
    if made.process.poll() is None:
        made.end()


def associate(port, *contexts, title="SR", calling="MOD"):
    entity = AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 30
    wanted = list(contexts) or [build_context(MAMMOGRAPHY, ExplicitVRLittleEndian)]
    return entity.associate("127.0.0.1", port, wanted, ae_title=title)


def established(port):
    """An association, or None: those that ended a moment ago may still be counted."""
    association = associate(port)
    return association if association.is_established else None


def store(port, dataset):
    association = until(lambda: established(port))
    status = association.send_c_store(dataset)
    association.release()
    return status


def serves(service, number):
    """Whether the next one is served."""
    assert store(service.port, mammogram(number)).Status == 0
    assert f"1.2.826.99.{number}.1" in [row.uid for row in queue(service.store)[0]]
    assert until(lambda: not list((service.store / "incoming").iterdir()))


def test_received_is_whole_on_the_disk_and_in_the_ledger(service):
    """Bytes of the data set as they were sent, whatever their number is to the PDUs' size."""
    for number, extra in enumerate((0, 1, 7, 16000, 16371, 16372, 16373, 50_000)):
        pixels = np.random.default_rng(number).integers(0, 4096, (1, 8192 + extra), dtype=np.uint16)
        dataset = mammogram(100 + number, shape=pixels.shape, fill=pixels)
        assert store(service.port, dataset).Status == 0
        (row,) = [row for row in queue(service.store)[0] if row.uid == dataset.SOPInstanceUID]
        path = service.store / "objects" / row.file
        kept = pydicom.dcmread(path)
        assert kept.PixelData == pixels.tobytes()
        assert kept == dataset
        data = path.read_bytes()
        start = 132 + 12 + kept.file_meta.FileMetaInformationGroupLength
        digest = hashlib.sha256(f"{kept.file_meta.TransferSyntaxUID}\n".encode() + data[start:]).hexdigest()
        assert path.name == f"{digest}.dcm"
        assert path.stat().st_mode & 0o077 == 0


def test_the_same_again_is_well_and_other_bytes_are_refused(service):
    assert store(service.port, mammogram(1)).Status == 0
    assert store(service.port, mammogram(1)).Status == 0
    other = mammogram(1)
    other.PatientID = "other"
    answer = store(service.port, other)
    assert answer.Status == 0xC002
    assert answer.ErrorComment == "this SOP Instance UID is here with other bytes"
    (row,) = [row for row in queue(service.store)[0] if row.uid == "1.2.826.99.1.1"]
    assert pydicom.dcmread(service.store / "objects" / row.file) == mammogram(1)


def test_another_instance_than_was_announced(service):
    association = associate(service.port)
    announced = mammogram(2)
    path = save(announced, service.store.parent / "a.dcm")
    file = pydicom.dcmread(path)
    file.SOPInstanceUID = "1.2.3.4"
    file.file_meta.MediaStorageSOPInstanceUID = "1.2.826.99.2.1"
    data = path.read_bytes()
    path.write_bytes(
        data.replace(b"\x08\x00\x18\x00UI\x0e\x001.2.826.99.2.1", b"\x08\x00\x18\x00UI\x0e\x001.2.826.99.2.9")
    )
    from pynetdicom import _config

    _config.STORE_SEND_CHUNKED_DATASET = True  # as it is in the file
    try:
        assert association.send_c_store(path).Status == 0xA900
    finally:
        _config.STORE_SEND_CHUNKED_DATASET = False
    association.release()
    serves(service, 3)


@pytest.mark.parametrize("cut", [1, 2, 50, 241])
def test_an_object_that_is_cut_short(service, cut, tmp_path):
    from pynetdicom import _config

    path = save(mammogram(4), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[:-cut])
    _config.STORE_SEND_CHUNKED_DATASET = True
    try:
        association = associate(service.port)
        assert association.send_c_store(path).Status == 0xC000
        association.release()
    finally:
        _config.STORE_SEND_CHUNKED_DATASET = False
    assert "1.2.826.99.4.1" not in [row.uid for row in queue(service.store)[0]]


def test_more_than_is_allowed(service):
    large = mammogram(5, shape=(1300, 1300))
    answer = store(service.port, large)
    assert answer.Status == 0xC001
    assert "more than 3145728 bytes" in answer.ErrorComment
    serves(service, 6)


def test_who_calls_and_who_is_called(service):
    assert associate(service.port, title="OTHER").is_rejected
    assert associate(service.port, calling="STRANGER").is_rejected
    serves(service, 7)


def test_a_peer_that_aborts_amid_an_object_leaves_nothing(service):
    association = associate(service.port)
    connection, sent, came = association.dul.socket, [], []

    def send(data, real=connection.send):  # in the reactor's thread
        sent.append(len(data))
        real(data)
        if sum(sent) > 1 << 20 and not came:
            came.extend(until(lambda: list((service.store / "incoming").iterdir())))
            connection.socket.shutdown(socket.SHUT_RDWR)

    connection.send = send
    assert "Status" not in association.send_c_store(mammogram(8, shape=(1200, 1200)))
    assert came
    serves(service, 9)
    assert "1.2.826.99.8.1" not in [row.uid for row in queue(service.store)[0]]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(range(256)) * 20,
        b"\x01\x00\x00\x00\x00\x08garbage!",
        b"\x01\x00\xff\xff\xff\xff" + b"\0" * 1000,  # a request of 4 GB
        b"\x04\x00\x00\x00\x00\x10" + b"\0" * 16,  # data before any association
        b"\x01\x00\x00",
    ],
)
def test_garbage(service, sent):
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(sent)
        connection.settimeout(20)
        while connection.recv(4096):  # it answers or not, and ends
            pass
    serves(service, 1000 + len(sent) % 97)


def test_peers_that_stall_keep_nobody_out(service):
    """More of them than there may be associations; all but a limit's worth are cut off, the others after their time."""
    stalling = [socket.create_connection(("127.0.0.1", service.port), timeout=20) for _ in range(8)]
    for number, connection in enumerate(stalling):
        connection.sendall(b"\x01\x00\x00\x00\x01\x00abc"[: number + 1])
    serves(service, 10)
    for connection in stalling:
        connection.settimeout(20)
        while connection.recv(4096):
            pass
        connection.close()


def test_more_associations_than_are_allowed(service):
    def seventh():
        """Whether it is rejected, in a list; None where one of the six was cut off, two seconds without a word."""
        held = [until(lambda: established(service.port)) for _ in range(6)]
        one_more = associate(service.port)
        six = all(one.is_established for one in held)
        for one in (*held, one_more):
            one.release()
        return [one_more.is_rejected] if six else None

    assert until(seventh) == [True]
    until(lambda: established(service.port)).release()


def test_the_smallest_syntax_is_taken_too(service):
    dataset = mammogram(11)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    association = associate(service.port, build_context(MAMMOGRAPHY, ImplicitVRLittleEndian))
    again = pydicom.dcmread(save(dataset, service.store.parent / "i.dcm"))
    assert association.send_c_store(again).Status == 0
    association.release()


def test_a_service_is_there(service):
    association = associate(service.port, build_context("1.2.840.10008.1.1"))
    assert association.send_c_echo().Status == 0
    association.release()


def test_many_objects_over_several_associations(service, tmp_path):
    def send(first):
        association = until(lambda: established(service.port))
        for number in range(first, first + 6):
            statuses.append(association.send_c_store(mammogram(200 + number)).Status)
        association.release()

    statuses = []
    senders = [threading.Thread(target=send, args=(6 * k,)) for k in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert statuses == [0] * 18
    uids = [row.uid for row in queue(service.store)[0]]
    assert sum(uid.startswith("1.2.826.99.2") and len(uid) == len("1.2.826.99.200.1") for uid in uids) == 18


def test_a_full_disk_is_out_of_resources(serve, tmp_path):
    """No file may grow beyond 300 KB: the object's, then, as on a disk that is full."""
    config = settings(tmp_path / "settings.toml", **LEFT)
    limit = 300_000
    service = Process(
        tmp_path / "store",
        NOBODY,
        config=config,
        before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    try:
        assert store(service.port, mammogram(1, shape=(1000, 1000))).Status == 0xA700
        assert store(service.port, mammogram(2)).Status == 0
        assert [row.uid for row in queue(tmp_path / "store")[0]] == ["1.2.826.99.2.1"]
        assert not list((tmp_path / "store" / "incoming").iterdir())
    finally:
        assert service.end() == 0


def test_what_must_stay_free_on_the_disk(serve, tmp_path):
    service = serve(NOBODY, tables=LEFT | {"limits": {"free_bytes": 1 << 60}})
    assert store(service.port, mammogram(1)).Status == 0xA700
    assert queue(tmp_path / "store")[0] == []


def test_sigterm_lets_an_object_arrive(serve, tmp_path):
    service = serve(NOBODY, tables=LEFT)
    association = associate(service.port)
    ended = threading.Thread(target=service.end)
    ended.start()
    until(lambda: any("stopping" in line for line in service.said))
    assert association.send_c_store(mammogram(1)).Status == 0
    association.release()
    ended.join()
    assert service.process.returncode == 0
    assert len(queue(tmp_path / "store")[0]) == 1


def test_one_store_has_one_service(serve, tmp_path):
    serve(NOBODY)
    with pytest.raises(AssertionError, match="another process has it"):
        serve(NOBODY)


def test_other_interfaces_are_meant_or_refused(tmp_path):
    words = ["serve", "--ae-title", "SR", "--store", tmp_path / "s", "--forward", NOBODY, "--bind", "0.0.0.0"]
    assert "reachable by others; give --tls-certificate" in run(*words, status=2)
    assert "name those that may send: --calling AE" in run(*words, "--open-network", status=2)
    assert not (tmp_path / "s").exists()
