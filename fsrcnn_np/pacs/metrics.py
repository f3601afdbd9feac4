"""Counts for whoever watches the service: a file in the text format that Prometheus reads. No names, no UIDs."""

from __future__ import annotations

import collections
import threading
import time
from pathlib import Path

from ..files.atomic import write_bytes
from .ledger import Ledger

_COUNTED = ("received", "refused", "derived", "not_derived", "sent", "send_retries", "parked", "committed")


class Metrics:
    """Counters since the start, and from the ledger what is in which state."""

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._started = path, time.time()
        self._counts: collections.Counter[str] = collections.Counter()
        self._guard = threading.Lock()

    def count(self, name: str, number: int = 1) -> None:
        """Something has happened."""
        with self._guard:
            self._counts[name] += number

    def write(self, ledger: Ledger, associations: int) -> None:
        """Replace the file, if one was asked for."""
        if self._path is None:
            return
        lines = ["# TYPE fsrcnn_pacs_objects gauge"]
        lines += [f'fsrcnn_pacs_objects{{state="{state}"}} {number}' for state, number in ledger.counts().items()]
        with self._guard:
            counts = dict(self._counts)
        for name in _COUNTED:
            lines += [f"# TYPE fsrcnn_pacs_{name}_total counter", f"fsrcnn_pacs_{name}_total {counts.get(name, 0)}"]
        lines += ["# TYPE fsrcnn_pacs_associations gauge", f"fsrcnn_pacs_associations {associations}"]
        lines += ["# TYPE fsrcnn_pacs_start_seconds gauge", f"fsrcnn_pacs_start_seconds {self._started:.0f}"]
        write_bytes(self._path, "".join(f"{line}\n" for line in lines).encode(), overwrite=True)
