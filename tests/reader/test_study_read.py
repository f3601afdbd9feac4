"""`fsrcnn-np study read` as it is run: links, a kill in the middle, signals, what the study makes of the ratings."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fsrcnn_np.cli
from fsrcnn_np.errors import FileError, OptionError
from fsrcnn_np.reader.serving import Address
from fsrcnn_np.study.ratings_file import read_ratings
from fsrcnn_np.study.store import read_study
from reader_study import Client, draw, rating

ROOT = Path(__file__).parents[2]


class Command:
    """The command in a process of its own."""

    def __init__(self, *arguments):
        command = [sys.executable, "-m", "fsrcnn_np", "study", "read", *map(str, arguments)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.links, self.lines = {}, []
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.match(r"(.+): http://127\.0\.0\.1:(\d+)/enter/(\S+)", line):
                name, self.port, self.links[name] = found[1], int(found[2]), found[3]
                if name == "results":
                    break
        assert self.links, self.process.communicate()

    def client(self, name):
        """Opens a link."""
        return Client(self.port, self.links[name])

    def end(self, number=signal.SIGTERM):
        """Status and the rest of what it says."""
        self.process.send_signal(number)
        out, error = self.process.communicate(timeout=60)
        return self.process.returncode, out, error


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def test_a_server_that_is_killed_loses_nothing_that_was_saved(results):
    port = free_port()
    first = Command(results, "--port", port, "--reader", "Ann", "--reader", "Bea", "--repeats", "1")
    ann = first.client("Ann")
    order = ann.get("/api/session")[1]["cases"]
    before = [rating(1, "Artifacts", value) for value in (1, 2, 4)]
    assert ann.post(before)[1]["refused"] == []
    assert first.end(signal.SIGKILL)[0] == -signal.SIGKILL
    with pytest.raises(ConnectionError):
        ann.get("/api/session")

    second = Command(results, "--port", port)
    assert set(second.links) == {"Ann", "Bea", "results"}, "readers are known"
    session = ann.get("/api/session")[1]
    assert session["cases"] == [order[0] | {"rated": 1, "seconds": 1.5}, *order[1:]], "the old link is still good"
    assert ann.post(before)[1]["saved"] == [event["id"] for event in before], "sent again by the page"
    assert ann.open(1)[1]["answers"]["values"] == {"Artifacts": 4}
    ann.post([rating(1, "Artifacts", 5)])
    status, out, error = second.end()
    assert (status, error) == (0, "")
    assert f"wrote {results / 'reading.csv'}" in out
    (kept,) = read_ratings(results / "reading.csv").ratings
    assert kept.value in (1, 5)
    assert [one.value for one in read_study(results).ratings] == [kept.value]


def test_two_folders_and_ctrl_c(tmp_path):
    draw(tmp_path / "a", ["x.png"])
    draw(tmp_path / "b", ["x.png"], (140, 120))
    own = tmp_path / "own.toml"
    own.write_text(
        'question = "?"\n[[values]]\nvalue = 7\ntext = "no"\n[[values]]\nvalue = 9\ntext = "yes"\n'
        '[[criteria]]\nname = "Mass"\n'
    )
    kept = tmp_path / "kept"
    sides = ("--left", tmp_path / "a", "--right", tmp_path / "b")
    command = Command(kept, *sides, "--criteria", own, "--port", 0, "--prepare", "--title", "Masses")
    reader = command.client("reader 1")
    session = reader.get("/api/session")[1]
    assert (session["study"], session["criteria"][0]["values"][1]) == ("Masses", {"value": 9, "text": "yes"})
    assert reader.get("/api/cases/1")[0] == 200, "its tiles are there"
    assert reader.post([rating(1, "Mass", 9)])[1]["refused"] == []
    status, _, error = command.end(signal.SIGINT)
    assert (status, "Traceback" in error) == (0, False)
    assert "Mass,x,9," in (kept / "reading.csv").read_text()


def run(*arguments):
    return fsrcnn_np.cli.main(["study", "read", *map(str, arguments)])


def test_export_and_the_studys_tables(results, capsys, tmp_path):
    assert run(results, "--export", tmp_path / "out.csv", "--reader", "Ann") == 0
    assert (tmp_path / "out.csv").read_text().startswith("reader,criterion,case,value")
    assert "wrote" in capsys.readouterr().out
    assert run(results, "--export", tmp_path / "out.csv") == 0
    assert "exists already and is kept" in capsys.readouterr().out
    (tmp_path / "out.csv").write_text("reader,others\n")
    assert run(results, "--export", tmp_path / "out.csv") == 1
    assert "line 1 'reader,others' → 'reader,criterion" in capsys.readouterr().err
    assert (tmp_path / "out.csv").read_text() == "reader,others\n"
    assert run(results, "--export", tmp_path / "out.csv", "--overwrite") == 0
    assert (tmp_path / "out.csv").read_text().startswith("reader,criterion,case,value")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--left", "x"], "go together"),
        (["--repeats", "-1"], "--repeats is -1"),
        (["--days", "0"], "--days is 0"),
        (["--data-range", "3"], "--data-range goes with"),
        (["--reader", "A", "--reader", "a"], "given twice"),
        (["--port", "70000"], "allowed are 0..65535"),
        (["--host", "0.0.0.0"], "give --certificate and --key, or --open-network"),
        (["--certificate", "x.pem"], "go together"),
        (["--certificate", "x.pem", "--key", "x.pem"], "no certificate with its key"),
        (["--criteria", "none.toml"], "give a TOML file"),
        (["--weights", "x4"], "give the model that the study was made with"),
        (["--left", "none", "--right", "none"], "is no folder"),
    ],
)
def test_wrong_usage(results, capsys, arguments, said):
    assert run(results, *arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_no_study(tmp_path, capsys):
    assert run(tmp_path) == 2
    assert "there is no such store" in capsys.readouterr().err


def test_a_port_that_is_taken(results, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(results, "--port", taken.getsockname()[1]) == 2
    assert "give another --port" in capsys.readouterr().err


def test_other_criteria_need_another_folder(results, capsys, tmp_path):
    own = tmp_path / "own.toml"
    shutil.copy(Path(fsrcnn_np.__file__).parent / "reader" / "honjo2022.toml", own)
    assert run(results, "--export", tmp_path / "a.csv", "--criteria", own) == 0
    own.write_text(own.read_text().replace("Artifacts", "Artefacts"))
    assert run(results, "--export", tmp_path / "b.csv", "--criteria", own) == 2
    assert "choose another folder" in capsys.readouterr().err


def test_the_extra_is_named_where_it_is_missing(results, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run(results) == 2
    assert "pip install 'fsrcnn-np[reader]'" in capsys.readouterr().err


def test_addresses():
    assert Address("::1").link(80) == "http://[::1]:80"
    assert Address("0.0.0.0", names=("reading.example",), open_network=True).link(8) == "http://reading.example:8"
    assert "reading.example" in Address(names=("Reading.example",)).known_names()
    assert "xn--mller-kva.example" in Address(names=("Müller.example",)).known_names()
    assert Address(certificate=Path("a"), key=Path("b")).link(1).startswith("https://127.0.0.1")
    with pytest.raises(OptionError):
        Address("192.0.2.1").check()
    Address("192.0.2.1", open_network=True).check()
    with pytest.raises(FileError):
        Address("192.0.2.1", certificate=Path("a"), key=Path("b")).check()


def test_encrypted(results, tmp_path):
    """With a certificate made here: the link is https, the cookie Secure."""
    openssl = shutil.which("openssl")
    assert openssl, "OpenSSL's command makes the certificate"
    made = subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out",
         tmp_path / "cert.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"],
        capture_output=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    command = [sys.executable, "-m", "fsrcnn_np", "study", "read", str(results), "--port", "0"]
    command += ["--certificate", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE) as process:
        try:
            link = next(line for line in process.stdout if "/enter/" in line).split(": ", 1)[1].strip()
            assert link.startswith("https://127.0.0.1:")
            import ssl
            import urllib.request

            trust = ssl.create_default_context(cafile=tmp_path / "cert.pem")

            class Stay(urllib.request.HTTPRedirectHandler):
                def redirect_request(self, *_):
                    return None

            opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), Stay)
            with pytest.raises(urllib.error.HTTPError) as answer:
                opener.open(link, timeout=30)
            assert answer.value.code == 303
            assert "Secure" in answer.value.headers["set-cookie"]
            answer.value.close()
        finally:
            process.terminate()
            time.sleep(0)


@pytest.mark.parametrize("text", ["\udcff", "a\x1b[31m", "a\nb"])
@pytest.mark.parametrize("option", ["--reader", "--title", "--revoke", "--name", "--host"])
def test_texts_that_no_database_and_no_page_holds(tmp_path, capsys, option, text):
    with pytest.raises(SystemExit) as end:
        fsrcnn_np.cli.main(["study", "read", str(tmp_path), option, text])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "cannot be printed" in said
    assert "report it" not in said
    assert not list(tmp_path.iterdir())
