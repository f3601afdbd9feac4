"""A small study to read, a server in a thread, and a client that is no browser."""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import uvicorn

import fsrcnn_np
from fsrcnn_np.files import write
from fsrcnn_np.reader.cases import from_results
from fsrcnn_np.reader.criteria import read_criteria
from fsrcnn_np.reader.log import NAME, Log
from fsrcnn_np.reader.people import new_token
from fsrcnn_np.reader.publish import Publisher
from fsrcnn_np.reader.server import Site
from fsrcnn_np.reader.serving import PATIENCE, Address, listen, patient
from fsrcnn_np.reader.tiles import Tiles
from models import random_weights


def draw(folder: Path, names: list[str], shape=(70, 60)) -> None:
    """12-bit noise over a ramp, each image another."""
    for seed, name in enumerate(names):
        noise = np.random.default_rng(seed).normal(0, 80, shape)
        ramp = np.linspace(500, 3000, shape[0] * shape[1]).reshape(shape)
        write(folder / name, (ramp + noise).clip(0, 4095).astype(np.uint16), overwrite=True)


def make_study(folder: Path, cases: int = 3, *, save_sr: bool = True) -> Path:
    """Images, a model that takes no time, and what `study run` makes of them; gives RESULTS."""
    from fsrcnn_np.study.run import run

    draw(folder / "images", [f"smith_{number:02}.png" for number in range(cases)])
    fsrcnn_np.save_weights(random_weights(np.random.default_rng(7), (5, 3, 1), 2, "zero"), folder / "model.h5")
    rows = "".join(f"images/smith_{number:02}.png,smith {number // 2},4095\n" for number in range(cases))
    (folder / "cohort.csv").write_text("path,patient,data_range\n" + rows)
    results = folder / "results"
    states = [
        outcome.state
        for outcome in run(folder / "cohort.csv", results, weights=folder / "model.h5", save_sr=save_sr, workers=0)
    ]
    assert states == ["measured"] * cases
    return results


class Client:
    """Keeps the cookie; one connection a request, as several tabs would."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self.port, self.cookie = port, ""
        self.host = f"127.0.0.1:{port}"
        if token:
            status, headers, _ = self.ask("GET", f"/enter/{token}")
            assert status == 303, status
            self.cookie = headers["set-cookie"].split(";")[0]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str):
        """Status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            more = {name.replace("_", "-"): value for name, value in headers.items()}
            sent = ({"Cookie": self.cookie} if self.cookie else {}) | more
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get(self, path: str):
        """Status and JSON."""
        status, _, body = self.ask("GET", path)
        return status, json.loads(body)

    def open(self, number: int):
        """A case, once its tiles are there."""
        for _ in range(600):
            status, case = self.get(f"/api/cases/{number}")
            if status != 202:
                return status, case
            time.sleep(0.02)
        raise AssertionError("its tiles never come")

    def post(self, events: list):
        """Send events as the page does."""
        body = json.dumps({"events": events}).encode()
        more = {"Origin": f"http://{self.host}", "Content_Type": "application/json"}
        status, _, answer = self.ask("POST", "/api/events", body, **more)
        return status, json.loads(answer)


def rating(case: int, criterion: str = "Artifacts", value: int = 3, **more) -> dict:
    """An event."""
    given = {"id": str(uuid.uuid4()), "kind": "rating", "case": case, "criterion": criterion, "value": value}
    return given | {"seconds": 1.5, "at": 1790000000000} | more


class Running:
    """What a test of the server has in its hands."""

    def __init__(self, port: int, log: Log, tiles: Tiles, publisher: Publisher, said: list[str]) -> None:
        self.port, self.log, self.tiles, self.publisher, self.said = port, log, tiles, publisher, said

    def client(self, name: str, *, owner: bool = False, days: float = 1.0) -> Client:
        """Somebody with a link."""
        return Client(self.port, new_token(self.log, name, owner=owner, days=days))


@contextmanager
def served(
    results: Path, *, readers=("Ann", "Bea"), repeats=0, comparison=None, criteria=None, weights=None, patience=PATIENCE
):
    """A study on a free port."""
    comparison = comparison or from_results(results, weights=weights)
    criteria = criteria or read_criteria()
    log = Log(results / NAME, criteria)
    said: list[str] = []
    publisher = Publisher(results, log, {case.name: case.patient for case in comparison.cases}, said.append)
    for reader in readers:
        log.arrange(reader, [case.name for case in comparison.cases], seed=0, repeats=repeats)
    tiles = Tiles(results / "tiles", log, comparison.cases, said.append, 1)
    address = Address(port=0)
    with listen(address) as listening:
        site = Site(comparison, criteria, log, tiles, publisher, names=address.known_names(), say=said.append)
        config = uvicorn.Config(
            site.app, lifespan="off", log_config=None, ws="none", http=patient(patience), loop="asyncio"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield Running(listening.getsockname()[1], log, tiles, publisher, said)
        finally:
            server.should_exit = True
            thread.join()
            tiles.close()
            log.close()
