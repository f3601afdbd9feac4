"""kill -9 between any two steps loses nothing and doubles nothing."""

import signal

from pacs_peers import Service, mammogram, queue, save, send_once, settings, until

#: What the process is killed at, and whether before or after it is done.
STEPS = [
    ("store.Store.keep", "before"),
    ("store.Store.keep", "after"),  # renamed, not in the ledger
    ("ledger.Ledger.add", "after"),  # in the ledger, not answered
    ("deriving.Deriver._upscale", "after"),
    ("ledger.Ledger.checked", "before"),
    ("ledger.Ledger.checked", "after"),
    ("ledger.Ledger.sent", "before"),  # the archive has it, nobody wrote it down
    ("ledger.Ledger.asked", "after"),  # the transaction is written down, the archive not asked
    ("ledger.Ledger.committed", "before"),
]
#: Runs the command with one method that kills the process.
CODE = """
import importlib, os, signal
module, kind, name = "{step}".split(".")
holder = getattr(importlib.import_module("fsrcnn_np.pacs." + module), kind)
real = getattr(holder, name)
def killed(*arguments, **options):
    if "{when}" == "after":
        real(*arguments, **options)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(holder, name, killed)
from fsrcnn_np.cli import main
raise SystemExit(main())
"""


def test_between_any_two_steps(orthanc, tmp_path):
    store, config = tmp_path / "store", settings(tmp_path / "settings.toml")
    sources, answered = {}, {}
    for number, (step, when) in enumerate(STEPS, 300):
        sources[number] = save(mammogram(number), tmp_path / f"{number}.dcm")
        service = Service(store, orthanc.peer, config=config, code=CODE.format(step=step, when=when))
        orthanc.reports_to(service.port)
        answered[number] = service.process.poll() is None and send_once(sources[number], service.port)
        assert service.process.wait(60) == -signal.SIGKILL
        service.end_reading()

    service = Service(store, orthanc.peer, config=config)
    orthanc.reports_to(service.port)
    # Who got an answer is believed; who got none sends again, as every modality does.
    assert all(send_once(sources[number], service.port) for number in sources if not answered[number])
    count = 2 * len(STEPS)
    try:
        until(lambda: queue(store)[1]["committed"] == count, 40)
    finally:
        service.end()
    rows, counts = queue(store)
    assert len(rows) == counts["committed"] == count
    for number in sources:
        found = orthanc.instances(f"1.2.826.99.{number}.2")
        assert len(found) == len(set(found)) == 2
    kept = {path.relative_to(store / "objects").as_posix() for path in (store / "objects").rglob("*.dcm")}
    assert kept == {row.file for row in rows}
    assert not list((store / "incoming").iterdir())
