"""`study read` and `dicom serve` under faults: disks that fill up and get room again, streams that are closed, signals.

    python tests/faults/servers.py --rounds 20 --seed 1

Each round starts one of them on the store of the rounds before, and two clients send, again and again where they are
told that it could not be kept. Meanwhile the disk is full, or fails, now and then; at a moment by chance a signal ends
the server. After the last round it runs undisturbed, and the rest is sent: each rating and each object that was
acknowledged is there once, and no file that is half. test_servers.py does a few such things on purpose.
"""

from __future__ import annotations

import argparse
import errno
import http.client
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "pacs"), str(TESTS / "reader"), str(TESTS.parent)]

from faulty import ENVIRONMENT, library  # noqa: E402

from fsrcnn_np.reader.criteria import read_criteria  # noqa: E402
from fsrcnn_np.reader.log import NAME, Log  # noqa: E402
from fsrcnn_np.reader.people import new_token  # noqa: E402
from fsrcnn_np.study.ratings_file import read_ratings  # noqa: E402
from fsrcnn_np.study.store import read_study  # noqa: E402
from pacs_peers import free_port, mammogram, queue, save, send_once, settings, until  # noqa: E402
from reader_study import Client, make_study, rating  # noqa: E402

GONE = "gone"  # nobody reads standard error any more
STREAMS = ("", "<&- >&- 2>&-", "2>/dev/full", GONE)
TROUBLES = (None, errno.ENOSPC, errno.EIO)
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)


class Server:
    """A command that serves, in a process of its own.

    Parameters
    ----------
    words : list
    streams : str
        What a shell does with them, like `>&-`; or GONE, once it listens.
    out : file or int, optional
        Standard output.
    faults : str
        Of faults.c, as in `faulty.run`.
    """

    def __init__(self, words, *, streams="", out=subprocess.DEVNULL, **faults):
        environment = ENVIRONMENT | {f"FAULT_{name}": str(value) for name, value in faults.items()}
        if faults:
            environment["LD_PRELOAD"] = str(library())
        self.port = free_port()
        command = [sys.executable, "-m", "fsrcnn_np", *map(str, words), "--port", str(self.port)]
        if streams and streams != GONE:
            command = ["bash", "-c", f'exec "$@" {streams}', "bash", *command]
        self.process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.PIPE, text=True)
        until(lambda: self.process.poll() is not None or self._listens())
        if streams == GONE:
            self.process.stderr.close()

    def _listens(self):
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def end(self, number=signal.SIGTERM):
        """Status and what was said on standard error."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self):
        """The same of one that ends by itself."""
        said = "" if self.process.stderr.closed else self.process.communicate(timeout=60)[1]
        status = self.process.wait(60)
        assert "Traceback" not in said, said
        assert "please report" not in said, said
        return status, said

    def close(self):
        """Whatever was found, no server is left."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


class Reading:
    """A small study, to be served to Ann."""

    def __init__(self, folder, made=None):
        self.place = shutil.copytree(made or make_study(folder / "study", 2), folder / "results")
        names = [one.name for one in read_criteria().criteria]
        self.things = [rating(case, name, 4) for case in (1, 2) for name in names]
        log = Log(self.place / NAME, read_criteria())
        self._token = new_token(log, "Ann")
        log.close()
        self._client = None

    @contextmanager
    def start(self, **more):
        """Serve it."""
        server = Server(["study", "read", self.place, "--reader", "Ann"], **more)
        try:
            yield server
        finally:
            server.close()

    def client(self, server):
        """Ann's browser."""
        return Client(server.port, self._token)

    def send(self, server, thing):
        """Whether it was acknowledged."""
        if self._client is None:
            self._client = self.client(server)
        self._client.port, self._client.host = server.port, f"127.0.0.1:{server.port}"
        status, answer = self._client.post([thing])
        assert status in (200, 503), (status, answer)
        return status == 200 and answer["saved"] == [thing["id"]]

    def count(self):
        """How many ratings the CSV and the study's store have in the end; no file is half."""
        assert not list(self.place.rglob("*.part"))
        found = sorted(one.value for one in read_ratings(self.place / "reading.csv").ratings)
        assert sorted(one.value for one in read_study(self.place).ratings) == found
        return len(found)


class Receiving:
    """A service that keeps all and makes nothing."""

    def __init__(self, folder, *, count=60, **limits):
        self.place, self._folder, self._options = folder / "store", folder, []
        tables = {"forward": {"originals": False, "rest": False}, "treat": {"modalities": ["none"]}, "limits": limits}
        self._config = settings(folder / "settings.toml", **tables)
        self.things = list(range(1, count + 1))

    @contextmanager
    def start(self, *words, **more):
        """Serve it."""
        given = ["--ae-title", "SR", "--store", self.place, "--forward", "ARCHIVE@127.0.0.1:9"]
        server = Server(["dicom", "serve", *given, "--config", self._config, *words], **more)
        try:
            yield server
        finally:
            server.close()

    def send(self, server, thing):
        """Whether it was acknowledged."""
        path = self._folder / f"{thing}.dcm"
        return send_once(path if path.exists() else save(mammogram(thing), path), server.port)

    def count(self):
        """How many are in the ledger; each has its file, and but for what is set aside there is no other."""
        rows = queue(self.place)[0]
        files = {path.name for path in (self.place / "objects").rglob("*") if path.is_file()}
        assert files == {Path(row.file).name for row in rows}
        assert not list((self.place / "incoming").iterdir())
        return len(rows)


def disturbed(what, chance, due, kept, place):
    """One round; gives a line on it. `kept` learns what was acknowledged."""
    when, streams, trouble = place / "when", chance.choice(STREAMS), chance.choice(TROUBLES)
    number, left = chance.choice(SIGNALS), [thing for thing in due if str(thing) not in kept]
    faults = {"WRITE": f"{trouble}:0:{what.place}/", "WHEN": when} if trouble else {}
    with what.start(streams=streams, **faults) as server:

        def sending(mine):
            while mine and server.process.poll() is None:
                with suppress(OSError, http.client.HTTPException):
                    if what.send(server, mine[0]):
                        kept.add(str(mine.pop(0)))
                        continue
                time.sleep(0.02)

        sender = threading.Thread(target=sending, args=(left,))
        sender.start()
        for _ in range(chance.randint(1, 4)):
            time.sleep(chance.uniform(0, 0.3))
            when.touch() if trouble and not when.exists() else when.unlink(missing_ok=True)
        full = when.exists()
        status, said = server.end(number)
        when.unlink(missing_ok=True)
        sender.join()
    early = 128 + number  # its socket listens, and it does not serve yet
    allowed = (
        {-number} if number == signal.SIGKILL else {0, early, 141 if streams == GONE else 1} if full else {0, early}
    )
    assert status in allowed, (status, said)
    assert len(said.splitlines()) < 12 + said.count("object "), said
    told = f"{number.name}{f', errno {trouble}' if trouble else ''}{', disk gone' if full else ''} {streams}"
    return f"{type(what).__name__}: {told}: status {status}, {len(kept)} acknowledged"


def main() -> int:
    """Prints each round, and what there is in the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="of each server")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance, wrong = random.Random(options.seed), 0
    for kind in (Reading, Receiving):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            what, kept = kind(place), set()
            for number in range(options.rounds):
                due = what.things[: (number + 1) * len(what.things) // options.rounds]
                print(disturbed(what, chance, due, kept, place), flush=True)
            with what.start() as server:
                late = [thing for thing in what.things if str(thing) not in kept and not what.send(server, thing)]
                assert server.end()[0] == 0
            found = what.count()
            print(
                f"{kind.__name__}: {len(what.things)} were sent, {found} are there; not kept at last: {late or 'none'}"
            )
            wrong += found != len(what.things) or bool(late)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
