"""Kill the service at random moments while objects arrive, and count what the archive has in the end.

    python tests/pacs/kill_at_random.py 50 [SEED] [--web]

With --web objects go on to the archive by DICOMweb instead of C-STORE.

Each round starts the service, sends it new mammograms, and kills it (kill -9) at a moment by chance. After the last one
it runs undisturbed, and whoever got no answer sends again. Status 1 where an object is missing or there twice.
"""

import random
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

from pacs_peers import Orthanc, Service, mammogram, queue, save, send_once, settings, until

PER_ROUND = 2
LONGEST = 1.5  # seconds from listening to the kill


def main(rounds, seed, web):
    """Everything on 127.0.0.1, on ports that were free; gives the exit status."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, config = folder / "store", settings(folder / "settings.toml")
        orthanc = Orthanc(folder / "orthanc")
        start = partial(Service, store, orthanc.web if web else orthanc.peer, config=config)
        try:
            answered = {}
            for number in range(rounds):
                disturbed(start, store, orthanc, folder, number, chance.uniform(0, LONGEST), answered)
            return undisturbed(start, store, orthanc, folder, answered)
        finally:
            orthanc.close()


def disturbed(start, store, orthanc, folder, number, seconds, answered):
    """One round; `answered` learns of which objects the sender knows that they were received."""
    service = start()
    orthanc.reports_to(service.port)
    killer = threading.Timer(seconds, service.process.kill)
    killer.start()
    for each in range(number * PER_ROUND, (number + 1) * PER_ROUND):
        answered[each] = send_once(save(mammogram(each), folder / f"{each}.dcm"), service.port)
    killer.join()
    service.process.wait(60)
    service.end_reading()
    states = {state: count for state, count in queue(store)[1].items() if count}
    print(f"{number + 1}: killed after {seconds:.2f} s; {states}", flush=True)


def undisturbed(start, store, orthanc, folder, answered):
    """To the end, and what there is then."""
    service = start()
    orthanc.reports_to(service.port)
    again = [each for each, received in answered.items() if not received]
    late = [each for each in again if not send_once(folder / f"{each}.dcm", service.port)]
    try:
        until(lambda: queue(store)[1]["committed"] == 2 * len(answered), 300)
    finally:
        service.end()
    rows, counts = queue(store)
    found = {each: orthanc.instances(f"1.2.826.99.{each}.2") for each in answered}
    wrong = [each for each, uids in found.items() if len(uids) != 2 or len(set(uids)) != 2]
    print(f"{len(answered)} objects were sent, {len(again)} of them once more; not received at last: {len(late)}")
    print(f"the ledger has {len(rows)}: {counts}")
    print(
        f"the archive has {sum(map(len, found.values()))}; original and SR are not there just once: {wrong or 'none'}"
    )
    return 1 if wrong or late or len(rows) != 2 * len(answered) else 0


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--web"]
    sys.exit(main(int(words[0]), int(words[1]) if len(words) > 1 else 0, "--web" in sys.argv))
