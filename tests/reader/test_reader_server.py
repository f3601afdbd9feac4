"""The server as a browser meets it: blinded cases, tiles, clicks, links, and who is turned away."""

import http.client
import json
import shutil
import socket
import sqlite3
import time
import uuid

import numpy as np
import pytest

from fsrcnn_np.files import read, write
from fsrcnn_np.reader.cases import from_folders
from fsrcnn_np.reader.criteria import read_criteria
from fsrcnn_np.reader.people import new_token, revoke
from fsrcnn_np.reader.pyramid import decoded
from fsrcnn_np.reader.web import MOST_BODY, Bucket
from fsrcnn_np.study.store import add_ratings, read_study
from fsrcnn_np.study.tables import table2
from reader_study import Client, draw, rating, served


@pytest.fixture(scope="module")
def standing(made, tmp_path_factory):
    """A server for tests that leave it as it was."""
    with served(shutil.copytree(made, tmp_path_factory.mktemp("standing") / "results")) as running:
        yield running


def tile(client, image, level=0, row=0, column=0):
    status, headers, body = client.ask("GET", f"/tiles/{image['key']}/{level}/{row}/{column}")
    assert status == 200
    assert headers["cache-control"] == "private, max-age=31536000, immutable"
    assert "content-encoding" not in headers
    rows, columns = (min(512, image[name] - 512 * at) for name, at in (("rows", row), ("columns", column)))
    return decoded(body, rows, columns)


def test_a_reader_sees_every_case_on_its_own_sides(results):
    with served(results) as running:
        ann = running.client("Ann")
        status, session = ann.get("/api/session")
        assert status == 200
        assert session["reader"] == "Ann"
        assert [case["number"] for case in session["cases"]] == [1, 2, 3]
        assert [one["id"] for one in session["criteria"]] == [one.name for one in read_criteria().criteria]
        for slot in running.log.slots("Ann"):
            status, case = ann.open(slot.number)
            assert status == 200
            images = case["images"][::-1] if slot.swapped else case["images"]
            name = slot.case.removeprefix("images/")
            original = read(results.parent / "images" / name) if (results.parent / "images").is_dir() else None
            assert [image["rows"] for image in images] == [70, 140]
            sr = read(results / "sr" / "images" / name).pixels
            assert (tile(ann, images[1]) == sr).all()
            if original is not None:
                assert (tile(ann, images[0]) == original.pixels).all()


def test_nothing_tells_which_is_which_or_whose(results):
    """Both images have the same fields with the same values, but for the key and what the size makes."""
    with served(results) as running:
        ann = running.client("Ann")
        said = json.dumps(ann.get("/api/session")[1])
        for number in (1, 2, 3):
            case = ann.open(number)[1]
            said += json.dumps(case)
            first, second = case["images"]
            assert list(first) == list(second)
            differ = {name for name in first if first[name] != second[name]}
            assert differ <= {"key", "rows", "columns", "levels", "spacing"}
        for word in ("smith", "sr", "original", "bicubic", str(results)):
            assert f'"{word}' not in said.lower()
            assert f"/{word}" not in said.lower()
        assert "smith" not in said
        assert not any("smith" in line for line in running.said)


def test_clicks_reach_the_study(results):
    with served(results, repeats=1) as running:
        ann, bea = running.client("Ann"), running.client("Bea")
        for client, reader in ((ann, "Ann"), (bea, "Bea")):
            for slot in running.log.slots(reader):
                events = [
                    rating(slot.number, one.name, 1 if slot.swapped else 5) for one in read_criteria().criteria
                ]  # fmt: skip
                status, answer = client.post(events)
                assert (status, answer["refused"]) == (200, [])
                assert answer["saved"] == [event["id"] for event in events]
                assert client.post(events) == (200, answer), "again: the same answer"
        found = read_study(results).ratings
        assert len(found) == 2 * 4 * 14
        assert {one.value for one in found} == {5}, "whatever side it was on, SR was preferred"
        assert {one.occasion for one in found} == {1, 2}
        assert {one.patient for one in found} == {"smith 0", "smith 1"}
        assert len(table2(found).records) == 28
        case = ann.open(1)[1]
        assert set(case["answers"]["values"].values()) <= {1, 5}
        assert case["answers"]["seconds"] == 1.5
        assert [one["rated"] for one in ann.get("/api/session")[1]["cases"]] == [14] * 4


def test_the_owner_sees_results_and_readers_do_not(results):
    with served(results) as running:
        ann, owner = running.client("Ann"), running.client("owner", owner=True)
        comment = {"id": str(uuid.uuid4()), "kind": "comment", "case": 1, "text": "=1+1</table><script>", "seconds": 2}
        ann.post([rating(1, one.name, 4) for one in read_criteria().criteria] + [comment])
        status, headers, body = owner.ask("GET", "/results")
        page = body.decode()
        assert status == 200
        assert "Table 2" in page
        assert "<svg" in page
        assert '<th scope="row">Ann</th><td>1</td><td>3</td>' in page
        assert page.count("<script") == page.count('<script type="module" src="/results.js">') == 1
        assert "style=" not in page, "the policy allows none"
        status, headers, body = owner.ask("GET", "/results/ratings.csv")
        assert (status, headers["content-type"]) == (200, "text/csv; charset=utf-8")
        assert "attachment" in headers["content-disposition"]
        assert body.decode("utf-8-sig").count("\n") == 15
        assert ",'=1+1</table><script>," in body.decode()
        assert owner.ask("GET", "/results/log.csv")[2].decode().count("Ann") == 15
        for path in ("/results", "/results/ratings.csv", "/results/log.csv"):
            assert ann.ask("GET", path)[0] == 403
            assert Client(running.port).ask("GET", path)[0] == 401
        assert owner.get("/api/session")[0] == 403


def test_links(results):
    with served(results) as running:
        token = new_token(running.log, "Ann")
        client = Client(running.port)
        status, headers, _ = client.ask("GET", f"/enter/{token}")
        assert (status, headers["location"]) == (303, "/")
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert headers["cache-control"] == "no-store"
        assert Client(running.port, token).get("/api/session")[0] == 200, "opened again, in another browser"
        for path in ("/api/session", "/api/cases/1", f"/tiles/{'0' * 32}/0/0/0"):
            status, answer = client.get(path)
            assert status == 401
            assert "open the link" in answer["why"]
        status, answer = client.get("/enter/" + "x" * 43)
        assert (status, "not of this study" in answer["why"]) == (401, True)
        late = new_token(running.log, "Ann", days=-1)
        assert "expired" in client.get(f"/enter/{late}")[1]["why"]
        ann = running.client("Ann")
        revoke(running.log, "Ann")
        assert "revoked" in ann.get("/api/session")[1]["why"]


def test_two_studies_on_one_machine_keep_their_readers(results, made, tmp_path):
    """A browser gives what 127.0.0.1 has set to every port of it."""
    other = shutil.copytree(made, tmp_path / "other")
    with served(results) as one, served(other) as two:
        ann, bea = one.client("Ann"), two.client("Bea")
        ann.cookie = bea.cookie = f"{ann.cookie}; {bea.cookie}; reader=of-another-program"
        assert ann.get("/api/session")[1]["reader"] == "Ann"
        assert bea.get("/api/session")[1]["reader"] == "Bea"


def test_guessing_is_slow(results):
    with served(results) as running:
        client, ann = Client(running.port), running.client("Ann")
        answers = [client.ask("GET", f"/enter/{n:043}")[0] for n in range(40)]
        assert answers[0] == 401
        assert answers[-1] == 429
        assert ann.get("/api/session")[0] == 200, "who has a link is not kept waiting by who has none"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403), ({"Host": "evil.example:8000"}, 403), ({"Host": "[::1"}, 403),
        ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Origin": "https://HOST"}, 403),
        ({"Origin": None}, 403), ({"Content-Type": "text/plain"}, 415), ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415), ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200), ({"Content-Length": str(MOST_BODY + 1)}, 413),
    ],
)  # fmt: skip
def test_other_pages_are_refused(standing, headers, status):
    before = standing.log.rows("SELECT count(*) FROM log")[0][0]
    ann = standing.client("Ann")
    given = {"Origin": f"http://{ann.host}", "Content-Type": "application/json", **headers}
    given = {k: v.replace("HOST", ann.host) for k, v in given.items() if v is not None}
    body = json.dumps({"events": [rating(1)]}).encode()
    assert ann.ask("POST", "/api/events", body, **given)[0] == status
    assert standing.log.rows("SELECT count(*) FROM log")[0][0] - before == (status == 200)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b"{}", 400), (b'{"events": 3}', 400), (b"\xff\xfe", 400),
        (b'{"events": []}', 200), (b"[" * 100_000, 400),
        (json.dumps({"events": [rating(1) for _ in range(101)]}).encode(), 400),
        (b'{"events": [' + b" " * MOST_BODY + b"]}", 413),
    ],
)  # fmt: skip
def test_bodies_that_are_none(standing, body, status):
    ann = standing.client("Ann")
    more = {"Origin": f"http://{ann.host}", "Content-Type": "application/json"}
    try:
        assert ann.ask("POST", "/api/events", body, **more)[0] == status
    except (BrokenPipeError, ConnectionResetError):
        assert status == 413, "it was not read to its end"
    assert ann.get("/api/session")[0] == 200


@pytest.mark.parametrize("case", [[], {}, 1.0, None, 10**30])
def test_two_events_of_one_id_of_which_one_is_none(results, case):
    with served(results) as running:
        ann, event = running.client("Ann"), rating(1)
        status, answer = ann.post([event, event | {"case": case}])
        assert (status, answer["saved"]) == (200, [event["id"]])
        assert answer["refused"] == [{"id": event["id"], "why": "its id was used for something else"}]
        assert not running.said


def test_an_id_of_half_letters_is_refused_in_an_answer(standing):
    status, answer = standing.client("Ann").post([rating(1, id="\ud800"), rating(1, kind="\ud800")])
    assert (status, answer["saved"], len(answer["refused"])) == (200, [], 2)


@pytest.mark.parametrize(
    "path",
    ["/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "/server.py", "/.hidden.html", "/honjo2022.toml",
     "/page/index.html", "//etc/passwd", "/etc/passwd", "/results.css/", "/index.html%00.css", "/nothing.css"],
)  # fmt: skip
def test_no_path_leads_out(standing, path):
    status, _, body = standing.client("Ann").ask("GET", path)
    assert status in (307, 404), body
    assert b"import" not in body


@pytest.mark.parametrize(
    "path", ["/tiles/x/0/0/0", "/tiles/%2e%2e/0/0/0", f"/tiles/{'0' * 32}/0/0/0", f"/tiles/{'0' * 32}/a/0/0"]
)
def test_tiles_that_are_none(standing, path):
    assert standing.client("Ann").ask("GET", path)[0] == 404


def test_headers_and_files_of_the_page(standing):
    client = Client(standing.port)
    status, headers, _ = client.ask("GET", "/results.css")
    assert status == 200
    assert headers["content-type"] == "text/css; charset=utf-8"
    for path in ("/results.css", "/api/session", "/nothing", "/enter/x"):
        headers = client.ask("GET", path)[1]
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    tag = client.ask("GET", "/results.css")[1]["etag"]
    assert client.ask("GET", "/results.css", None, **{"If-None-Match": tag})[0] == 304
    assert client.ask("POST", "/results.css")[0] == 403


def test_cases_that_cannot_be_shown_do_not_stop_the_others(tmp_path):
    draw(tmp_path / "a", ["smith.png", "good.png", "bad.png", "gone.png"])
    draw(tmp_path / "b", ["good.png", "bad.png", "gone.png"])
    write(tmp_path / "b" / "smith.png", np.zeros((8, 8, 3), np.uint8), overwrite=True)
    (tmp_path / "b" / "bad.png").write_bytes((tmp_path / "b" / "bad.png").read_bytes()[:200])
    comparison = from_folders(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a" / "gone.png").unlink()
    with served(tmp_path / "kept", comparison=comparison) as running:
        ann = running.client("Ann")
        found = {slot.case: ann.open(slot.number) for slot in running.log.slots("Ann")}
        assert found["good"][0] == 200
        assert {name: status for name, (status, _) in found.items() if name != "good"} == {
            "smith": 409, "bad": 409, "gone": 409,
        }  # fmt: skip
        assert "colour" in found["smith"][1]["why"]
        for _, answer in found.values():
            assert "smith" not in json.dumps(answer)
        assert sum(bool(case["why"]) for case in ann.get("/api/session")[1]["cases"]) == 3
        assert len(running.said) == 3, "said once each"
        good = next(slot.number for slot in running.log.slots("Ann") if slot.case == "good")
        assert ann.post([rating(good)])[1]["refused"] == []
        draw(tmp_path / "a", ["gone.png"])
        gone = next(slot.number for slot in running.log.slots("Ann") if slot.case == "gone")
        assert ann.open(gone)[0] == 200, "it came back"


def test_a_store_that_is_busy_loses_nothing(results, monkeypatch):
    monkeypatch.setattr("fsrcnn_np.study.store.BUSY", 0.05)
    with served(results) as running:
        ann = running.client("Ann")
        other = sqlite3.connect(results / "study.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        event = rating(1)
        status, answer = ann.post([event])
        assert (status, answer["saved"]) == (200, [event["id"]]), "it is in the log"
        ann.post([rating(2)])
        assert len([line for line in running.said if "lags behind" in line]) == 1
        other.execute("ROLLBACK")
        other.close()
        ann.post([rating(3)])
        assert len(read_study(results).ratings) == 3, "it has caught up"


def test_what_a_killed_server_had_not_published_comes_with_the_next(results):
    with served(results) as running:
        running.publisher.wanted = False
        running.client("Ann").post([rating(1)])
        assert read_study(results).ratings == []
    with served(results) as running:
        running.publisher.all()
        assert len(read_study(results).ratings) == 1


def test_simulated_ratings_in_the_store_stay(results):
    from fsrcnn_np.study.records import Rating

    add_ratings(results, [Rating("other", "images/smith_00.png", "Artifacts", 2)])
    with served(results) as running:
        running.client("Ann").post([rating(1)])
        assert sorted(one.reader for one in read_study(results).ratings) == ["Ann", "other"]


def test_a_bucket():
    now = [0.0]
    bucket = Bucket(3, 2.0, now=lambda: now[0])
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take("b") == 0
    now[0] += 0.5
    assert [bucket.take("a") > 0 for _ in range(2)] == [False, True]


def test_a_slow_down_is_said(results):
    with served(results) as running:
        ann = running.client("Ann")
        begun = time.monotonic()
        for _ in range(2000):
            status, headers, _ = ann.ask("GET", "/api/session")
            if status == 429:
                break
        assert status == 429 or time.monotonic() - begun > 40
        assert status != 429 or int(headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST /api/events HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n"],
)
def test_who_trickles_is_hung_up_on(results, begun):
    """Nothing, headers and a body that never end; a connection between two requests is left alone."""
    with served(results, patience=0.5) as running:
        polite = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
        polite.request("GET", "/icon.svg")
        assert polite.getresponse().read()
        kept = polite.sock
        with socket.create_connection(("127.0.0.1", running.port)) as slow:
            slow.settimeout(0.05)
            slow.sendall(begun)
            end = time.monotonic() + 20
            while time.monotonic() < end:
                try:
                    if not slow.recv(1 << 16):
                        break
                except TimeoutError:
                    if begun:
                        slow.sendall(b"x")
                except ConnectionError:
                    break
            else:
                raise AssertionError("the connection is still held")
        polite.request("GET", "/icon.svg")
        assert polite.getresponse().read()
        assert polite.sock is kept
        polite.close()
