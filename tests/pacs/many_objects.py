"""Many objects over several associations at once, original and SR of each in the archive at the end.

python tests/pacs/many_objects.py 500 8
"""

import sys
import tempfile
import threading
import time
from pathlib import Path

from fsrcnn_np.pacs.library import import_pynetdicom
from fsrcnn_np.pacs.peer import Peer
from fsrcnn_np.pacs.sending import Link, Outgoing
from fsrcnn_np.pacs.settings import Limits
from pacs_peers import MAMMOGRAPHY, Orthanc, Service, mammogram, queue, save, settings, until


def main(objects, associations):
    """Everything on 127.0.0.1, on ports that were free; gives the exit status."""
    import_pynetdicom()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [save(mammogram(number), folder / f"{number}.dcm") for number in range(objects)]
        orthanc = Orthanc(folder / "orthanc")
        service = Service(folder / "store", orthanc.peer, config=settings(folder / "settings.toml"))
        orthanc.reports_to(service.port)
        outcomes = []

        def send(first):
            link = Link("MOD", Peer("SR", "127.0.0.1", service.port), None, Limits())
            mine = [
                Outgoing(n, paths[n], MAMMOGRAPHY, "1.2.840.10008.1.2.1") for n in range(first, objects, associations)
            ]
            outcomes.extend(link.deliver(mine))

        started = time.monotonic()
        senders = [threading.Thread(target=send, args=(first,)) for first in range(associations)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        received = time.monotonic() - started
        try:
            until(lambda: queue(folder / "store")[1]["committed"] == 2 * objects, 580)
            committed = time.monotonic() - started
            wrong = [n for n in range(objects) if len(set(orthanc.instances(f"1.2.826.99.{n}.2"))) != 2]
        finally:
            service.end()
            orthanc.close()
    sent = sum(outcome.kind == "sent" for outcome in outcomes)
    print(f"{sent} of {objects} received over {associations} associations in {received:.0f} s")
    print(f"{2 * objects} committed after {committed:.0f} s; not original and SR in one study: {wrong or 'none'}")
    return 1 if wrong or sent != objects else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
