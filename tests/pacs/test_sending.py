"""What an archive may answer, and what follows from it."""

import json
import threading
import time
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, AllStoragePresentationContexts, build_role, evt
from pynetdicom.pdu import P_DATA_TF

from fsrcnn_np.pacs.library import import_pynetdicom
from fsrcnn_np.pacs.peer import Peer
from fsrcnn_np.pacs.sending import Link, Outgoing, wait_seconds
from fsrcnn_np.pacs.settings import Forward, Limits
from pacs_peers import MAMMOGRAPHY, mammogram, queue, run, save, send_once, until

PUSH, PUSH_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
ORIGINALS_ONLY = {"treat": {"modalities": ["none"]}}
BRIEF = {"limits": {"idle_seconds": 5.0}}  # a release that crosses the archive's own report may go unanswered


class Archive:
    """One that answers as a test wants."""

    def __init__(
        self, *statuses, commitment=None, syntaxes=(ExplicitVRLittleEndian, ImplicitVRLittleEndian), find=None
    ):
        self.statuses, self.commitment, self.find = list(statuses), commitment, find
        self.stored, self.times, self.asked = [], [], []
        entity = AE("ARCHIVE")
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(context.abstract_syntax, list(syntaxes))
        if commitment:
            entity.add_supported_context(PUSH)
        if find is not None:
            entity.add_supported_context(FIND)
        handlers = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_N_ACTION, self._action),
            (evt.EVT_ASYNC_OPS, lambda event: (1, 1)),
            (evt.EVT_C_FIND, self._find),
        ]
        self.server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        self.port = self.server.server_address[1]
        self.peer = f"ARCHIVE@127.0.0.1:{self.port}"

    def _store(self, event):
        self.times.append(time.monotonic())
        status = self.statuses.pop(0) if self.statuses else 0
        if status is None:
            event.assoc.abort()
            return 0
        if status == 0:
            self.stored.append(str(event.request.AffectedSOPInstanceUID))
        return status

    def _find(self, event):
        if self.find:
            found = Dataset()
            found.QueryRetrieveLevel, found.SOPInstanceUID = "IMAGE", event.identifier.SOPInstanceUID
            yield 0xFF00, found

    def _action(self, event):
        request = event.action_information
        uids = [item.ReferencedSOPInstanceUID for item in request.ReferencedSOPSequence]
        self.asked.append(uids)
        answer = self.commitment(self, request, uids)
        if answer is not None:
            kind, report, port = answer
            if port is None:  # on the association that asked
                threading.Timer(0.1, event.assoc.send_n_event_report, (report, kind, PUSH, PUSH_INSTANCE)).start()
            else:
                threading.Timer(0.1, self._report, (kind, report, port)).start()
        return 0, None

    def _report(self, kind, report, port):
        entity = AE("ARCHIVE")
        entity.add_requested_context(PUSH)
        association = entity.associate("127.0.0.1", port, ae_title="SR", ext_neg=[build_role(PUSH, scp_role=True)])
        self.answer, _ = association.send_n_event_report(report, kind, PUSH, PUSH_INSTANCE)
        association.release()

    def close(self):
        self.server.shutdown()


def report(request, *, failed=()):
    made = Dataset()
    made.TransactionUID = request.TransactionUID
    kept = [item for item in request.ReferencedSOPSequence if item.ReferencedSOPInstanceUID not in dict(failed)]
    made.ReferencedSOPSequence = kept
    if failed:
        lost = [item for item in request.ReferencedSOPSequence if item.ReferencedSOPInstanceUID in dict(failed)]
        for item in lost:
            item.FailureReason = dict(failed)[item.ReferencedSOPInstanceUID]
        made.FailedSOPSequence = lost
    return made


@pytest.fixture
def archive():
    made = []

    def start(*statuses, **options):
        made.append(Archive(*statuses, **options))
        return made[-1]

    yield start
    for each in made:
        each.close()


def send(service, tmp_path, *numbers):
    for number in numbers:
        save(mammogram(number), tmp_path / f"{number}.dcm")
        assert send_once(tmp_path / f"{number}.dcm", service.port)


def test_only_status_0_is_sent(archive, serve, tmp_path):
    """0xA700, no answer and 0xA900 are tried again, ever later; 0xC000 and a warning park; the others go on."""
    peer = archive(0xA700, None, 0xA900, 0, 0xC123, 0xB000)
    service = serve(peer.peer, tables=ORIGINALS_ONLY | {"commitment": {"how": "none"}})
    send(service, tmp_path, 1)
    until(lambda: queue(tmp_path / "store")[1]["sent"] == 1)
    assert len(peer.times) == 4
    send(service, tmp_path, 2, 3)
    until(lambda: queue(tmp_path / "store")[1]["parked"] == 2)
    send(service, tmp_path, 4)
    until(lambda: queue(tmp_path / "store")[1]["sent"] == 2)
    assert peer.stored == ["1.2.826.99.1.1", "1.2.826.99.4.1"]
    text = run("queue", tmp_path / "store", status=1)
    assert f"object 2: parked, received; {peer.peer} answered 0xC123" in text
    assert f"object 3: parked, received; {peer.peer} answered 0xB000" in text
    run("queue", tmp_path / "store", "--retry")
    until(lambda: queue(tmp_path / "store")[1]["sent"] == 4)
    assert len(peer.stored) == 4


def test_committed_on_the_same_association(archive, serve, tmp_path):
    peer = archive(commitment=lambda archive, request, uids: (1, report(request), None))
    service = serve(peer.peer, tables=ORIGINALS_ONLY | {"commitment": {"linger_seconds": 5.0}} | BRIEF)
    send(service, tmp_path, 1)
    until(lambda: queue(tmp_path / "store")[1]["committed"] == 1)


def test_what_the_archive_lost_is_sent_again_and_what_it_refuses_is_parked(archive, serve, tmp_path, monkeypatch):
    """On associations of the archive's own; reports about transactions that nobody asked for are refused."""
    first = {"1.2.826.99.2.1": 0x0112, "1.2.826.99.3.1": 0x0122}

    def answer(archive, request, uids):
        failed = {uid: first.pop(uid) for uid in uids if uid in first}
        return 2 if failed else 1, report(request, failed=failed.items()), service.port

    peer = archive(commitment=answer)
    code = (
        "import fsrcnn_np.pacs.commitment as c; assert c.BEFORE_SENDING_AGAIN > 20; c.BEFORE_SENDING_AGAIN = 0.1; "
        "from fsrcnn_np.cli import main; main()"
    )
    service = serve(peer.peer, tables=ORIGINALS_ONLY, code=code)
    send(service, tmp_path, 1, 2, 3)
    until(lambda: queue(tmp_path / "store")[1] | {"committed": 2, "parked": 1} == queue(tmp_path / "store")[1])
    assert peer.stored.count("1.2.826.99.2.1") == 2
    assert peer.stored.count("1.2.826.99.1.1") == peer.stored.count("1.2.826.99.3.1") == 1
    assert "the archive does not keep it: reason 0x0122" in run("queue", tmp_path / "store", status=1)
    made_up = Dataset()
    made_up.TransactionUID = "1.2.3"
    made_up.ReferencedSOPSequence = []
    peer._report(1, made_up, service.port)
    assert peer.answer.Status == 0x0110


@pytest.mark.parametrize("there", [True, False])
def test_an_archive_without_commitment_is_asked_by_query(there, archive, serve, tmp_path):
    peer = archive(find=there)
    service = serve(peer.peer, tables=ORIGINALS_ONLY)
    send(service, tmp_path, 1)
    if there:
        until(lambda: queue(tmp_path / "store")[1]["committed"] == 1)
    else:
        until(lambda: queue(tmp_path / "store")[0][0].note == "the archive did not find it; sent again")


def link(peer, **limits):
    import_pynetdicom()
    return Link("MOD", Peer("ARCHIVE", "127.0.0.1", peer.port), None, Limits(**({"idle_seconds": 20} | limits)))


def test_a_peer_that_stalls_amid_an_object(archive, tmp_path):
    """Tried again later; and what waits to be sent is not the whole object."""
    peer, going_on = archive(), threading.Event()

    def stall(event):
        if isinstance(event.pdu, P_DATA_TF):
            going_on.wait(30)

    peer.server.bind(evt.EVT_PDU_RECV, stall)
    path = save(mammogram(1, shape=(4000, 2000)), tmp_path / "a.dcm")
    try:
        (outcome,) = link(peer, idle_seconds=1).deliver([Outgoing(1, path, MAMMOGRAPHY, ExplicitVRLittleEndian)])
    finally:
        going_on.set()
    assert outcome.kind == "retry"
    assert peer.stored == []


def test_a_peer_that_takes_implicit_vr_alone(archive, tmp_path):
    peer = archive(syntaxes=[ImplicitVRLittleEndian])
    path = save(mammogram(1), tmp_path / "a.dcm")
    (outcome,) = link(peer).deliver([Outgoing(7, path, MAMMOGRAPHY, ExplicitVRLittleEndian)])
    assert outcome == (7, "sent", "")


def test_texts_reach_a_peer_that_takes_implicit_vr_alone_byte_for_byte(archive, tmp_path):
    """A name in Latin-1 that is said to be UTF-8, and one in letters that pydicom cannot encode."""
    peer, sets = archive(syntaxes=[ImplicitVRLittleEndian]), []
    peer.server.bind(evt.EVT_C_STORE, lambda event: sets.append(event.request.DataSet.getvalue()) or 0)
    for number, (charset, name) in enumerate(
        [(b"ISO_IR 192", b"M\xfcller"), (b"ISO_IR 13 ", b"\xd4\xcf\xc0\xde^\xb3")]
    ):
        dataset = mammogram(number)
        dataset.SpecificCharacterSet, dataset.PatientName, dataset.InstitutionName = "C" * 10, "N" * 6, "I" * 6
        path = save(dataset, tmp_path / "a.dcm")
        data = path.read_bytes().replace(b"C" * 10, charset).replace(b"N" * 6, name).replace(b"I" * 6, name)
        path.write_bytes(data)
        (outcome,) = link(peer).deliver([Outgoing(7, path, MAMMOGRAPHY, ExplicitVRLittleEndian)])
        assert outcome == (7, "sent", "")
        assert sets[-1].count(name) == 2


@pytest.mark.parametrize("host", ["nosuchhost.invalid", "\udcff", "a" * 70 + ".invalid"])
def test_a_host_without_an_address_is_tried_again(host, tmp_path):
    path = save(mammogram(1), tmp_path / "a.dcm")
    import_pynetdicom()
    way = Link("MOD", Peer("ARCHIVE", host, 104), None, Limits())
    (outcome,) = way.deliver([Outgoing(7, path, MAMMOGRAPHY, ExplicitVRLittleEndian)])
    assert outcome.kind == "retry"
    assert outcome.line.startswith(f"ARCHIVE@{host}:104 takes no association (")


def test_a_syntax_that_the_peer_does_not_take(archive, tmp_path):
    peer = archive(syntaxes=[ImplicitVRLittleEndian])
    packed = mammogram(1, shape=(16, 16))
    packed.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    path = save(packed, tmp_path / "a.dcm")
    (outcome,) = link(peer).deliver([Outgoing(1, path, MAMMOGRAPHY, pydicom.uid.RLELossless)])
    assert outcome.kind == "park"


def test_more_classes_than_an_association_has_contexts(archive, tmp_path):
    peer = archive()
    objects = []
    for number, context in enumerate(AllStoragePresentationContexts[:70]):
        dataset = mammogram(number)
        dataset.SOPClassUID = context.abstract_syntax
        path = save(dataset, tmp_path / f"{number}.dcm")
        objects.append(Outgoing(number, path, context.abstract_syntax, ExplicitVRLittleEndian))
    outcomes = list(link(peer).deliver(objects))
    assert [outcome.kind for outcome in outcomes] == ["sent"] * 70
    assert len(set(peer.stored)) == 70


def test_send_says_what_was_not_sent(archive, tmp_path):
    peer = archive(0, 0xC000)
    for number in (1, 2):
        save(mammogram(number), tmp_path / f"{number}.dcm")
    (tmp_path / "notes.txt").write_text("no object")
    log = tmp_path / "night.jsonl"
    text = run("send", tmp_path, tmp_path / "none.dcm", peer.peer, "--report", log, status=1, process=True)
    assert "\n1 sent, 0 kept, 0 skipped, 2 failed, " in text
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert {(Path(r["input"]).name, r["state"], r["reason"]) for r in records} == {
        ("none.dcm", "failed", "file"), ("1.dcm", "sent", ""), ("2.dcm", "failed", "peer"),
    }  # fmt: skip
    assert text.count("none.dcm") == 1
    assert f"{tmp_path / '1.dcm'}: sent\n" in text
    assert f"fsrcnn-np: {tmp_path / '2.dcm'}: {peer.peer} answered 0xC000\n" in text
    assert f"fsrcnn-np: {tmp_path / 'none.dcm'}: there is no such file\n" in text
    assert "notes" not in text


def test_send_takes_files_without_a_head(archive, tmp_path):
    dataset = mammogram(1)
    del dataset.file_meta
    with pydicom.config.disable_value_validation():
        dataset.save_as(tmp_path / "a", implicit_vr=True, little_endian=True, enforce_file_format=False)
    peer = archive()
    assert run("send", tmp_path / "a", peer.peer) == f"{tmp_path / 'a'}: sent\n"
    assert peer.stored == ["1.2.826.99.1.1"]


@pytest.mark.parametrize(("tries", "least", "most"), [(0, 1, 3), (1, 2, 6), (20, 300, 900), (5000, 300, 900)])
def test_waiting(tries, least, most):
    times = [wait_seconds(tries, Forward()) for _ in range(50)]
    assert least <= min(times) < max(times) <= most


@pytest.mark.parametrize(
    "text", ["ARCHIVE", "ARCHIVE@host", "A@h:0", "A@h:70000", "TOOLONGATITLE1234@h:1", "@h:1", "A\\B@h:1"]
)
def test_who_is_no_peer(text, tmp_path):
    assert "usage" not in run("send", tmp_path, text, status=2)
