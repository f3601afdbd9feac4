"""`study read` and `dicom serve` while a system fails them: what was acknowledged is kept, and they end as they should.

`python tests/faults/servers.py` does it at random.
"""

import http.client
import json
import os
import signal
import socket
import time

import pytest
from servers import GONE, Reading, Receiving

from fsrcnn_np import cli
from pacs_peers import MAMMOGRAPHY, mammogram, until
from reader_study import make_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("study"), 1)


@pytest.fixture
def reading(study, tmp_path):
    return Reading(tmp_path, study)


@pytest.fixture
def receiving(tmp_path):
    return Receiving(tmp_path, drain_seconds=1.0)


@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", GONE])
def test_without_streams(streams, reading, receiving):
    """What cannot be said is lost, and ends no thread."""
    with reading.start(streams=streams) as server, receiving.start(streams=streams) as other:
        assert reading.client(server).open(1)[0] == 200
        assert all(reading.send(server, one) for one in reading.things[:2])
        assert all(receiving.send(other, one) for one in receiving.things[:2])
        assert server.end() == other.end() == (0, "")
    assert (reading.count(), receiving.count()) == (2, 2)


def test_links_and_ports_that_nobody_can_see(reading, receiving):
    """Without its first lines nobody could use it: it ends at once."""
    read, write = os.pipe()
    os.close(read)
    with reading.start(streams=">/dev/full") as full, receiving.start(out=write) as gone:
        os.close(write)
        assert full.ended() == (1, "fsrcnn-np: standard output cannot be written: No space left on device\n")
        assert gone.ended() == (141, "")


def test_a_full_disk_while_ratings_come(reading, tmp_path, capsys):
    """What was not acknowledged is sent again by the page, and kept once there is room."""
    when, things = tmp_path / "full", reading.things[:4]
    with reading.start(WRITE=f"28:0:{reading.place}/", WHEN=when) as server:
        assert reading.send(server, things[0])
        when.touch()
        answers = [reading.client(server).post([one]) for one in things[1:]]
        assert [(status, "nothing is lost" in answer["why"]) for status, answer in answers] == [(503, True)] * 3
        when.unlink()
        assert all(reading.send(server, one) for one in things[1:])
        when.touch()
        status, said = server.end()
    assert status == 1
    first, last = said.splitlines()
    assert "the study's log: " in first
    assert "disk is full" in first
    assert last.endswith(
        "reading.csv: cannot be written: No space left on device; make space, and run it again; stopped"
    )
    assert cli.main(["study", "read", str(reading.place), "--export", str(reading.place / "reading.csv")]) == 0
    assert reading.count() == 4


def test_a_full_disk_while_objects_come(receiving, tmp_path):
    when, metrics = tmp_path / "full", receiving.place / "metrics.txt"
    one, two, three = receiving.things[:3]
    with receiving.start("--metrics", metrics, WRITE=f"28:0:{receiving.place}/", WHEN=when) as server:
        assert receiving.send(server, one)
        until(metrics.exists)
        when.touch()
        assert not receiving.send(server, two)
        assert not receiving.send(server, three)
        when.unlink()
        assert receiving.send(server, two)
        when.touch()
        status, said = server.end()
    assert (status, said.count("0xA700: the disk is full")) == (0, 2), said
    about = [line.split(":")[1].split()[0] for line in said.splitlines()]
    assert "metrics" in about
    assert [one for one in about if one != "metrics"] == ["object", "an", "an", "object", "stopping", "stopped"]
    assert receiving.count() == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_ratings_come(number, reading):
    """A request that has begun is finished and kept; one that never ends holds nobody up."""
    with reading.start() as server:
        ann = reading.client(server)
        body = json.dumps({"events": reading.things[:1]}).encode()
        head = (
            f"POST /api/events HTTP/1.1\r\nHost: {ann.host}\r\nOrigin: http://{ann.host}\r\nCookie: {ann.cookie}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        one, other = (socket.create_connection(("127.0.0.1", server.port), 30) for _ in range(2))
        with one, other:
            for connection in (one, other)[: 2 if number == signal.SIGTERM else 1]:
                connection.sendall(head.encode() + body[:20])
            assert ann.get("/api/session")[0] == 200, "they have arrived"
            server.process.send_signal(number)
            time.sleep(0.3)
            one.sendall(body[20:])
            answer = http.client.HTTPResponse(one)
            answer.begin()
            assert (answer.status, len(json.loads(answer.read())["saved"])) == (200, 1)
            assert server.ended() == (0, "")
    assert reading.count() == 1


def test_ctrl_c_while_objects_come(receiving):
    """An object on its way arrives; those that say nothing are let go."""
    from pynetdicom import AE, build_context

    with receiving.start() as server, socket.create_connection(("127.0.0.1", server.port), 30):
        entity, contexts = AE(ae_title="MOD"), [build_context(MAMMOGRAPHY)]
        one, other = (entity.associate("127.0.0.1", server.port, contexts, ae_title="SR") for _ in range(2))
        server.process.send_signal(signal.SIGINT)
        assert "stopping" in server.process.stderr.readline()
        assert one.send_c_store(mammogram(1)).Status == 0
        one.release()
        status, said = server.ended()
        other.abort()
    assert (status, said.splitlines()[-1]) == (0, "fsrcnn-np: stopped")
    assert receiving.count() == 1
