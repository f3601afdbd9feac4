"""Archives that speak DICOMweb alone: Debian's Orthanc, and one that answers as a test wants."""

import contextlib
import http.server
import json
import os
import subprocess
import threading
import time

import pydicom
import pytest

from fsrcnn_np.errors import FileError, OptionError
from fsrcnn_np.files.dicom.check import check_files
from fsrcnn_np.pacs.fetching import fetch
from fsrcnn_np.pacs.multipart import only_object
from fsrcnn_np.pacs.sending_files import find_objects, send_files
from fsrcnn_np.pacs.settings import Forward, Limits
from fsrcnn_np.pacs.web import Credentials, Web, WebError, parse_root
from fsrcnn_np.pacs.web_sending import WebLink
from pacs_peers import PLANTED, mammogram, queue, run, save, send_once, until

SOON = Forward(first_wait_seconds=0.01, longest_wait_seconds=0.02)
UID, STUDY, SERIES = "1.2.826.99.1.1", "1.2.826.99.1.2", "1.2.826.99.1.3"
STORED = {"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": [UID]}}]}}

LONGER = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom\r\nContent-Length: 1000000\r\n\r\n"


def failed(reason):
    item = {"00081155": {"vr": "UI", "Value": [UID]}, "00081197": {"vr": "US", "Value": [reason]}}
    return {"00081198": {"vr": "SQ", "Value": [item]}}


def warned(reason):
    item = {"00081155": {"vr": "UI", "Value": [UID]}, "00081196": {"vr": "US", "Value": [reason]}}
    return {"00081199": {"vr": "SQ", "Value": [item]}}


class Archive:
    """Answers each request with the next of its answers, the last one for ever.

    An answer is (status, body), (status, body, headers), bytes for the wire, or what is called with the handler.
    """

    def __init__(self, *answers):
        self.answers, self.asked, self.headers, self.bodies = list(answers), [], [], []
        archive = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                archive.asked.append(self.path)
                archive.headers.append(dict(self.headers))
                answer = archive.answers.pop(0) if len(archive.answers) > 1 else archive.answers[0]
                if callable(answer):
                    answer(self)
                    self.close_connection = True
                    return
                archive.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                if isinstance(answer, bytes):
                    self.wfile.write(answer)
                    self.close_connection = True
                    return
                status, body, *more = answer
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in (more[0] if more else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = handle_one

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/dicom-web"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def archive():
    made = []

    def start(*answers):
        made.append(Archive(*answers))
        return made[-1]

    yield start
    for each in made:
        each.close()


def web(url, seconds=20, credentials=None):
    return Web(parse_root(url), None, credentials, Limits(idle_seconds=seconds))


def sent(peer, path, *, tries=1, seconds=20):
    objects = [one for _, one in find_objects([path])]
    return list(send_files(WebLink(web(peer.url, seconds)), objects, tries=tries, forward=SOON))


def multipart(data, boundary="b"):
    body = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + data + f"\r\n--{boundary}--".encode()
    return (200, body, {"Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}'})


def listed(*uids, study=STUDY):
    def value(uid):
        return {"vr": "UI", "Value": [uid]}

    return [{"0020000D": value(study), "0020000E": value(SERIES), "00080018": value(uid)} for uid in uids]


# --- against Orthanc


def test_sent_found_and_fetched_again(orthanc, tmp_path):
    """Objects with and without a head; what is there is not fetched twice."""
    source = tmp_path / "in"
    source.mkdir()
    study = "1.2.826.99.700.2"
    for number in (700, 701, 702):
        save(mammogram(number, study=study, shape=(300, 200)), source / f"{number}.dcm")
    bare = mammogram(703, study=study)
    del bare.file_meta
    with pydicom.config.disable_value_validation():
        bare.save_as(source / "bare", implicit_vr=True, little_endian=True, enforce_file_format=False)
    said = run("send", source, orthanc.web)
    assert said.count(": sent\n") == 4
    assert len(orthanc.instances(study)) == 4

    out = tmp_path / "out"
    said = run("fetch", orthanc.web, "--study", study, "-o", out, process=True)
    assert said.count(": fetched\n") == 4
    assert not any(word in said for word in PLANTED)
    back = {pydicom.dcmread(path).SOPInstanceUID: path for path in out.iterdir()}
    assert len(back) == 4
    for number in (700, 701, 702):
        kept = pydicom.dcmread(back[f"1.2.826.99.{number}.1"])
        assert kept == pydicom.dcmread(source / f"{number}.dcm")
    for path in out.iterdir():
        os.utime(path, (1, 1))
    back["1.2.826.99.701.1"].unlink()
    root = web(orthanc.web)
    again = list(fetch(root, out, study, tries=1, forward=SOON, limits=Limits()))
    one = list(fetch(root, tmp_path / "one", study, series="1.2.826.99.700.3", tries=1, forward=SOON, limits=Limits()))
    root.close()
    assert [each.line for each in again] == [""] * 4
    assert len(one) == 1
    assert sum(path.stat().st_mtime != 1 for path in out.iterdir()) == 1


def test_serve_forwards_over_http_and_reads_back(orthanc, serve, tmp_path):
    service = serve(orthanc.web)
    source = save(mammogram(710), tmp_path / "a.dcm")
    assert send_once(source, service.port)
    until(lambda: queue(tmp_path / "store")[1]["committed"] == 2)
    found = orthanc.instances("1.2.826.99.710.2")
    (derived,) = set(found) - {"1.2.826.99.710.1"}
    assert check_files(source, orthanc.download(derived, tmp_path / "sr.dcm")) == []
    assert not list((tmp_path / "store" / "incoming").iterdir())
    assert service.end() == 0


def test_nothing_is_found(orthanc, tmp_path):
    text = run("fetch", orthanc.web, "--study", "1.2.3.4", "-o", tmp_path / "out", status=1)
    assert text == f"fsrcnn-np: {orthanc.web} has nothing of that\n"
    assert not (tmp_path / "out").exists()


# --- what an archive may say to an object


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        ((200, STORED), "sent", ""),
        ((200, [STORED]), "sent", ""),
        ((202, warned(0xB000)), "park", "answered 0xB000"),
        ((202, STORED | failed(0xA700)), "retry", "answered 0xA700"),
        ((409, failed(0xA900)), "retry", "answered 0xA900"),
        ((409, failed(0xC122)), "park", "answered 0xC122"),
        ((409, failed(0)), "park", "answered 0x0110"),
        ((200, {}), "retry", "HTTP 200 without a word of what became of it"),
        ((200, b"<html>stored!</html>"), "retry", "without a word"),
        ((200, b"[" * 100_000), "retry", "without a word"),
        ((200, failed("much")), "retry", "without a word"),
        ((415, b""), "park", "HTTP 415"),
        ((413, b""), "park", "HTTP 413"),
        ((401, b""), "retry", "HTTP 401"),
        ((503, STORED), "retry", "HTTP 503"),
        ((200, b"x", {"Content-Encoding": "gzip"}), "retry", "packed answer"),
        ((200, b" " * (9 << 20)), "retry", "more than 8388608 bytes"),
        (b"garbage\x1b[31m Geheimnis\r\n\r\n", "retry", "gave no answer (BadStatusLine)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{}", "retry", "gave no answer (IncompleteRead)"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}", "retry", "gave no answer (IncompleteRead)"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000, "retry", "gave no answer (LineTooLong)"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", "retry", "gave no answer (HTTPException)"),
        (b"", "retry", "gave no answer (RemoteDisconnected)"),
    ],
)  # fmt: skip
def test_what_became_of_an_object(answer, kind, told, archive, tmp_path):
    peer = archive(answer)
    (outcome,) = sent(peer, save(mammogram(1), tmp_path / "a.dcm"))
    assert outcome.kind == kind
    assert told in outcome.line
    assert outcome.line.isprintable()
    assert not any(word in outcome.line for word in PLANTED)


def test_busy_and_then_it_takes_it(archive, tmp_path):
    """The rest of the folder is not tried while the archive is busy; then all go, each whole."""

    def store(handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        got.append(body)
        uid = pydicom.dcmread(io_of(body)).SOPInstanceUID
        answer = json.dumps({"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": [uid]}}]}}).encode()
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(answer) + answer
        )

    got = []
    peer = archive((503, b""), store)
    paths = [save(mammogram(number), tmp_path / f"{number}.dcm") for number in (1, 2, 3)]
    outcomes = sent(peer, tmp_path, tries=3)
    assert [outcome.kind for outcome in outcomes] == ["sent"] * 3
    assert len(peer.asked) == 4
    assert [body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0] for body in got] == [p.read_bytes() for p in paths]


def io_of(body):
    import io

    return io.BytesIO(body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0])


def test_a_peer_that_refuses_early_is_heard(archive, tmp_path):
    """It answers to the head of a large request and closes."""
    peer = archive(lambda handler: handler.wfile.write(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"))
    path = save(mammogram(1, shape=(3000, 2000)), tmp_path / "a.dcm")
    (outcome,) = sent(peer, path)
    assert (outcome.kind, "413" in outcome.line) == ("park", True) or outcome.kind == "retry"


def stall(handler):
    while handler.rfile.read(1 << 16):  # until the other end goes
        pass


def trickle(head):
    def answer(handler):
        handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        handler.wfile.write(head)
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"1")
                time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        stall,
        trickle(b""),
        trickle(b"HTTP/1.1 200 OK\r\nX-Header: "),
        trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ],
)
def test_a_peer_that_stalls_or_trickles_is_cut_off(answer, archive, tmp_path):
    peer = archive(answer)
    (outcome,) = sent(peer, save(mammogram(1), tmp_path / "a.dcm"), seconds=0.3)
    assert (outcome.kind, outcome.line) == ("retry", f"{peer.url} gave no answer (it took too long)")


def test_nobody_listens(tmp_path):
    save(mammogram(1), tmp_path / "a.dcm")
    (outcome,) = send_files(
        WebLink(web("http://127.0.0.1:9/x")),
        [one for _, one in find_objects([tmp_path / "a.dcm"])],
        tries=1,
        forward=SOON,
    )
    assert (outcome.kind, outcome.line) == ("retry", "http://127.0.0.1:9/x cannot be reached (no connection)")


def test_redirects_and_proxies_are_not_followed(archive, tmp_path, monkeypatch):
    elsewhere = archive((200, STORED))
    peer = archive((307, b"", {"Location": f"{elsewhere.url}/studies"}))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, elsewhere.url)
    (outcome,) = sent(peer, save(mammogram(1), tmp_path / "a.dcm"))
    assert (outcome.kind, outcome.line) == ("retry", f"{peer.url} answered HTTP 307")
    assert elsewhere.asked == []
    assert len(peer.asked) == 1


# --- what an archive may give back


def fetched(peer, folder, *, limits=None, tries=1):
    root = web(peer.url)
    try:
        return list(fetch(root, folder, STUDY, tries=tries, forward=SOON, limits=limits or Limits()))
    finally:
        root.close()


def finds_then(archive, *answers):
    return archive((200, listed(UID)), (200, []), *answers)


def whole(tmp_path, number=1):
    path = save(mammogram(number), tmp_path / f"whole{number}.dcm")
    return path.read_bytes()


def test_an_object_in_pieces_and_again_after_an_error(archive, tmp_path):
    data = whole(tmp_path)
    peer = finds_then(archive, (503, b""), multipart(data))
    (one,) = fetched(peer, tmp_path / "out", tries=2)
    assert one.line == ""
    assert one.path.read_bytes() == data
    assert [path.name for path in (tmp_path / "out").iterdir()] == [one.path.name]
    assert "transfer-syntax=*" in peer.headers[-1]["Accept"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_the_mark_may_fall_between_pieces(size):
    data = b"\r\n--bound" * 5 + b"\r\n-\r\n"
    text = b"preamble\r\n--boundary\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n--boundary--\r\nend"
    pieces = (text[at : at + size] for at in range(0, len(text), size))
    assert b"".join(only_object('multipart/related; boundary="boundary"', pieces)) == data


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: multipart(data[:-1]), "it ends within an element"),
        (lambda data: multipart(b"garbage" * 50), "it cannot be read as DICOM"),
        (lambda data: (200, b"{}", {"Content-Type": "application/json"}), "is no multipart/related"),
        (lambda data: (200, b"--b\r\n\r\n" + data, multipart(b"")[2]), "ends within an object"),
        (lambda data: (200, b"x" * 200_000, multipart(b"")[2]), "has no object in it"),
        (lambda data: multipart(data + b"\r\n--b\r\n\r\nanother"), "more than the object"),
        (lambda data: (200, data, {"Content-Type": f"multipart/related; boundary={'b' * 500}"}), "is no multipart"),
        (lambda data: multipart(data.replace(b"1.2.826.99.1.1", b"1.2.826.99.1.7")), "another object"),
        (lambda data: (404, b""), "answered HTTP 404"),
        (lambda data: LONGER + data, "gave no answer (IncompleteRead)"),
    ],
)  # fmt: skip
def test_what_is_not_whole_gets_no_file(change, told, archive, tmp_path):
    peer = finds_then(archive, change(whole(tmp_path)))
    (one,) = fetched(peer, tmp_path / "out")
    assert told in one.line
    assert not any(word in one.line for word in PLANTED)
    assert list((tmp_path / "out").iterdir()) == []


def test_bounds_of_size_and_disk(archive, tmp_path):
    peer = finds_then(archive, multipart(whole(tmp_path)))
    (one,) = fetched(peer, tmp_path / "out", limits=Limits(object_bytes=300))
    assert one.line == "it has more than 300 bytes"
    peer = finds_then(archive, multipart(whole(tmp_path)))
    (one,) = fetched(peer, tmp_path / "out", limits=Limits(free_bytes=1 << 60))
    assert "are free on the disk" in one.line
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_of_that_name_is_kept(archive, tmp_path):
    peer = finds_then(archive, multipart(whole(tmp_path)))
    (one,) = fetched(peer, tmp_path / "out")
    one.path.write_bytes(b"mine")
    peer = finds_then(archive, multipart(whole(tmp_path)))
    (again,) = fetched(peer, tmp_path / "out")
    assert "is there and is another object or none; move it away" in again.line
    assert one.path.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "found", [listed("../../etc"), listed(UID, study="1.2.3"), [{}], ["x"], {"a": 1}, b"<xml/>", b"[" * 100_000]
)
def test_a_list_that_was_not_asked_for(found, archive, tmp_path):
    peer = archive((200, found), (200, []))
    with pytest.raises(WebError):
        fetched(peer, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_pages_end_where_nothing_new_comes(archive, tmp_path):
    """An archive that knows no offset gives the same page for ever."""
    peer = archive((200, listed(UID)), (200, listed(UID)), multipart(whole(tmp_path)))
    assert [one.line for one in fetched(peer, tmp_path / "out")] == [""]


# --- committed


@pytest.mark.parametrize("read_back", [True, False])
def test_an_archive_that_gives_back_other_pixels(read_back, archive, serve, tmp_path):
    """Found is not enough: what comes back is compared, and parked where it differs."""
    other = mammogram(1)
    other.PixelData = bytes(len(other.PixelData))
    data = save(other, tmp_path / "other.dcm").read_bytes()
    peer = archive((200, STORED), (200, listed(UID)), multipart(data))
    tables = {"treat": {"modalities": ["none"]}, "commitment": {"read_back": read_back}}
    service = serve(peer.url, tables=tables)
    assert send_once(save(mammogram(1), tmp_path / "a.dcm"), service.port)
    state = "parked" if read_back else "committed"
    until(lambda: queue(tmp_path / "store")[1][state] == 1)
    if read_back:
        assert "gives back other pixels than it was sent" in run("queue", tmp_path / "store", status=1)
    assert not list((tmp_path / "store" / "incoming").iterdir())


# --- who may


def test_credentials_reach_the_archive_and_nobody_else(archive, tmp_path, monkeypatch):
    path = save(mammogram(1), tmp_path / "a.dcm")
    (tmp_path / "token").write_text("Bearer abc.DEF-123==\n")
    (tmp_path / "user").write_text("reader:geheim wort\n")
    peer = archive((401, b""))
    said = run("send", path, peer.url, "--tries", "1", "--credentials", tmp_path / "token", status=1)
    assert said == f"fsrcnn-np: {path}: {peer.url} answered HTTP 401\n"
    assert peer.headers[-1]["Authorization"] == "Bearer abc.DEF-123=="
    monkeypatch.setenv("FSRCNN_NP_DICOMWEB", "Bearer from-the-environment")
    assert Credentials(None).header() == "Bearer from-the-environment"
    assert Credentials(tmp_path / "user").header() == "Basic cmVhZGVyOmdlaGVpbSB3b3J0"
    with pytest.raises(OptionError, match="credentials go over https alone"):
        web("http://archive.example/dicom-web", credentials=Credentials(None))
    monkeypatch.setenv("FSRCNN_NP_DICOMWEB", "secret")
    with pytest.raises(OptionError) as found:
        Credentials(None)
    assert "secret" not in str(found.value)
    with pytest.raises(FileError):
        Credentials(tmp_path / "none")


@pytest.mark.parametrize(
    "text", ["http://", "https://h:0/x", "https://h:99999/x", "https://h/x?a=b", "https://h/ä", "https://h h/x"]
)
def test_what_is_no_root(text):
    with pytest.raises(OptionError):
        parse_root(text)


def test_a_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(OptionError) as found:
        parse_root("https://user:geheim@archive.example/dicom-web")
    assert "geheim" not in str(found.value)


def test_https_believes_the_authority_alone(archive, tmp_path):
    import ssl

    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=archive"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    peer = archive((200, STORED))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    peer.server.socket = context.wrap_socket(peer.server.socket, server_side=True)
    url = peer.url.replace("http:", "https:")
    path = save(mammogram(1), tmp_path / "a.dcm")
    said = run("send", path, url, "--tries", "1", "--tls-authority", tmp_path / "cert.pem")
    assert said == f"{path}: sent\n"
    (outcome,) = send_files(WebLink(web(url)), [one for _, one in find_objects([path])], tries=1, forward=SOON)
    assert outcome.line == f"{url} cannot be reached (its certificate is not believed)"
