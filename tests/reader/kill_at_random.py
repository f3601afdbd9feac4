"""Kill the reader's server at random moments while ratings come in, and hold what it has in the end against them.

    python tests/reader/kill_at_random.py 30 [SEED]

Each round starts `study read` and lets two readers send ratings until it is killed (kill -9), or stopped by SIGTERM or
Ctrl-C, at a moment by chance, some before it listens; what had no answer is sent again in the next round. After the
last one the CSV and the study's store have each rating once, with its value, and the folder no file but theirs.
Status 1 where they have not.
"""

from __future__ import annotations

import http.client
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from test_study_read import Command, free_port  # noqa: E402

from fsrcnn_np.reader.criteria import read_criteria  # noqa: E402
from fsrcnn_np.study.ratings_file import read_ratings  # noqa: E402
from fsrcnn_np.study.store import read_study  # noqa: E402
from reader_study import Client, make_study, rating  # noqa: E402

READERS, CASES = ("Ann", "Bea"), 4
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def send(client: Client, events: list[dict], kept: set[str]) -> None:
    """One after the other; ends with them, or with the server."""
    for event in events:
        if event["id"] in kept:
            continue
        try:
            status, answer = client.post([event])
        except (OSError, http.client.HTTPException):
            return
        if status == 200:
            assert answer["refused"] == [], answer
            kept.update(answer["saved"])
        time.sleep(0.01)


def main(rounds: int, seed: int) -> int:
    """Everything on 127.0.0.1, on a port that was free; gives the exit status."""
    chance, criteria = random.Random(seed), [one.name for one in read_criteria().criteria]
    events = {
        name: [rating(case, one, chance.randint(1, 5)) for case in range(1, CASES + 1) for one in criteria]
        for name in READERS
    }
    kept: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        results, port = make_study(Path(folder), CASES), free_port()
        before = {path.name for path in results.iterdir()}
        words = [results, "--port", port, *(word for name in READERS for word in ("--reader", name))]
        first = Command(*words)
        clients = {name: first.client(name) for name in READERS}
        first.end()
        for number in range(rounds):
            what = chance.choice(SIGNALS)
            if chance.random() < 0.25:  # while it starts, or was ended just now
                whole = [sys.executable, "-m", "fsrcnn_np", "study", "read", *map(str, words)]
                process = subprocess.Popen(
                    whole, env=ENVIRONMENT, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
                )
                time.sleep(chance.uniform(0.05, 2))
            else:
                process = Command(*words).process
            due = (number + 1) * len(events[READERS[0]]) // rounds
            threads = [
                threading.Thread(target=send, args=(clients[name], events[name][:due], kept)) for name in READERS
            ]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0, 3))
            process.send_signal(what)
            _, said = process.communicate(timeout=60)
            for thread in threads:
                thread.join()
            assert "Traceback" not in said or "KeyboardInterrupt" in said, said  # Python itself was starting
            print(f"{number + 1}: {what.name}; {len(kept)} ratings are kept", flush=True)
        last = Command(*words)
        for name in READERS:
            send(clients[name], events[name], kept)
        assert last.end()[0] == 0
        meant = {
            (name, event["case"], event["criterion"]): event["value"] for name in READERS for event in events[name]
        }
        found, stored = read_ratings(results / "reading.csv").ratings, read_study(results).ratings
        more = {path.name for path in results.iterdir()} - before
        print(f"{len(meant)} ratings were sent; the CSV has {len(found)}, the store {len(stored)}; new files: {more}")
        counted = {(one.reader, one.case, one.criterion) for one in found}
        right = len(counted) == len(found) == len(stored) == len(meant) == len(kept)
        # by the side on which the SR image was shown a value is recorded as it is, or mirrored
        right &= sorted(abs(one.value - 3) for one in found) == sorted(abs(value - 3) for value in meant.values())
        return 0 if right and not list(results.rglob("*.part")) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
