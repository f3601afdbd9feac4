"""The URLs of PROTOCOL.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from piqe_np.console import Troubles, tell

from ..errors import FsrcnnError
from .cases import Comparison
from .criteria import Criteria
from .log import Log, Slot
from .people import DAYS, Person, Unknown, person
from .publish import Publisher, log_csv, ratings_csv
from .results_page import ResultsPage
from .tiles import Failed, Making, Ready, Tiles
from .web import Bucket, Gate, body_of

PAGE = Path(__file__).with_name("page")
MOST_EVENTS = 100
AHEAD = 2  #: cases behind the one that was opened whose tiles are made in advance
_KINDS = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json", ".txt": "text/plain; charset=utf-8",
}  # fmt: skip


def say(text: str) -> None:
    """One line on standard error: numbers of cases, never what is in them."""
    tell("fsrcnn-np", text)


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, why: str, *, wait: float = 0.0) -> None:
        super().__init__(why)
        self.status, self.why, self.wait = status, why, wait

    def response(self) -> Response:
        """As the page gets it."""
        headers = {"Retry-After": str(max(1, round(self.wait)))} if self.wait else None
        return JSONResponse({"why": self.why}, self.status, headers=headers)


class Site:
    """One reader study, served.

    Parameters
    ----------
    comparison : Comparison
    criteria : Criteria
    log : Log
    tiles : Tiles
    publisher : Publisher
    names : set of str
        Host names that are ours.
    title : str
        For readers.
    tls : bool
    say : callable
        Takes a line for the study's owner.
    """

    def __init__(
        self,
        comparison: Comparison,
        criteria: Criteria,
        log: Log,
        tiles: Tiles,
        publisher: Publisher,
        *,
        names: set[str],
        title: str = "Reader study",
        tls: bool = False,
        say: Callable[[str], None] = say,
    ) -> None:
        self.comparison, self.criteria, self.log, self.tiles = comparison, criteria, log, tiles
        self.publisher, self.title, self.tls = publisher, title, tls
        self.results = ResultsPage(title, comparison, criteria, log, tiles)
        self._troubles = Troubles(say)
        self.cookie = f"reader-{log.study()}"  # browsers give a machine's cookies to all of its ports
        self._questions = [one.as_json() for one in criteria.criteria]
        self._doors = Bucket(30, 0.5)  # tokens that are tried
        self._calls = Bucket(200, 40)  # of a person
        self._pictures = Bucket(4000, 800)  # tiles of a person
        routes = [
            Route("/enter/{token}", self._answering(self.enter)),
            Route("/api/session", self._answering(self.session)),
            Route("/api/cases/{number:int}", self._answering(self.case)),
            Route("/api/events", self._answering(self.events), methods=["POST"]),
            Route("/tiles/{key}/{level:int}/{row:int}/{column:int}", self._answering(self.tile)),
            Route("/results", self._answering(self.results_html)),
            Route("/results/ratings.csv", self._answering(self.ratings_file)),
            Route("/results/log.csv", self._answering(self.log_file)),
            Route("/", self._answering(self.page)),
            Route("/{name}", self._answering(self.page)),
        ]
        self.app = Gate(
            Starlette(routes=routes, exception_handlers={404: _nothing, 405: _nothing}), names, say, tls=tls
        )

    def _answering(self, answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                response: Response = await answer(request)
                return response
            except Refusal as refusal:
                return refusal.response()
            except ClientDisconnect:
                return PlainTextResponse("", 400)
            except FsrcnnError as error:
                self._troubles.lasts("log", f"the study's log: {error}")  # pages try again every few seconds
                return JSONResponse(
                    {"why": "the server cannot reach its disk; nothing is lost, it is tried again"}, 503
                )

        return endpoint

    # Who

    def _person(self, request: Request, bucket: Bucket) -> Person:
        token = request.cookies.get(self.cookie, "")
        if not token:
            raise Refusal(401, "nobody is signed in here: open the link that was printed for you")
        who = self._known(request, token)
        if wait := bucket.take(f"{who.owner} {who.name}"):
            raise Refusal(429, "too many requests at a time; slow down", wait=wait)
        return who

    def _known(self, request: Request, token: str) -> Person:
        try:
            return person(self.log, token)
        except Unknown as error:
            if wait := self._doors.take(request.client.host if request.client else ""):
                raise Refusal(429, "too many links that are none; wait a while", wait=wait) from None
            raise Refusal(401, str(error)) from None

    async def _reader(self, request: Request) -> str:
        who = await run_in_threadpool(self._person, request, self._calls)
        if who.owner:
            raise Refusal(403, "this is the link of the study's owner, who does not read: go to /results")
        page = request.headers.get("reader-outbox")  # a page that another reader's link has taken the cookie from
        if page is not None and page != await run_in_threadpool(self.log.outbox, who.name):
            raise Refusal(409, f"this browser has since opened the link of {who.name}: open your own link again")
        return who.name

    async def enter(self, request: Request) -> Response:
        """The printed link."""
        token = request.path_params["token"]
        who = await run_in_threadpool(self._known, request, token)
        response = RedirectResponse("/results" if who.owner else "/", 303)
        response.set_cookie(
            self.cookie, token, max_age=round(DAYS * 86400), path="/", httponly=True, samesite="strict", secure=self.tls
        )
        return response

    # What readers see

    async def session(self, request: Request) -> Response:
        """Everything but the images."""
        reader = await self._reader(request)
        return JSONResponse(await run_in_threadpool(self._session, reader))

    def _session(self, reader: str) -> dict[str, Any]:
        progress, failures = self.log.progress(reader), self.tiles.failures()
        cases = []
        for slot in self.log.slots(reader):
            rated, seconds = progress.get(slot.number, (0, 0.0))
            why = failures.get(slot.case, "") if slot.case in self.tiles.cases else "is no longer in the study"
            cases.append({"number": slot.number, "rated": rated, "seconds": seconds, "why": why})
        return {
            "study": self.title, "reader": reader, "outbox": self.log.outbox(reader),
            "question": self.criteria.question, "note": "", "criteria": self._questions, "cases": cases, "refresh": 30,
        }  # fmt: skip

    async def case(self, request: Request) -> Response:
        """A case's images and what was said of it."""
        reader = await self._reader(request)
        return await run_in_threadpool(self._case, reader, request.path_params["number"])

    def _case(self, reader: str, number: int) -> Response:
        slot = self.log.slot(reader, number)
        if slot is None:
            raise Refusal(404, "there is no such case")
        state = self.tiles.state(slot.case)
        behind = (self.log.slot(reader, number + n) for n in range(1, AHEAD + 1))
        self.tiles.later(
            one.case for one in behind if one and isinstance(self.tiles.state(one.case, ask=False), Making)
        )
        if isinstance(state, Failed):
            raise Refusal(409, f"this case cannot be shown: it {state.why}")
        if isinstance(state, Making):
            return JSONResponse({"retry": 0.3, "done": state.done}, 202, headers={"Retry-After": "1"})
        return JSONResponse(self._shown(reader, slot, state))

    def _shown(self, reader: str, slot: Slot, ready: Ready) -> dict[str, Any]:
        images = list(ready.images)
        if slot.swapped:
            images.reverse()
        answers = self.log.answers(reader, slot.number)
        values = {
            one.name: self.criteria.shown(one, answers.values[one.name], slot.swapped)
            for one in self.criteria.criteria
            if one.name in answers.values
        }
        marks = [mark | {"side": mark["side"] ^ int(slot.swapped)} for mark in answers.marks]
        said = {"values": values, "comment": answers.comment, "seconds": answers.seconds, "marks": marks}
        return {"number": slot.number, "images": images, "notes": list(ready.notes), "answers": said}

    async def tile(self, request: Request) -> Response:
        """A tile, which never changes."""
        await run_in_threadpool(self._person, request, self._pictures)
        where = request.path_params
        found = await run_in_threadpool(self.tiles.tile, where["key"], where["level"], where["row"], where["column"])
        if found is None:
            raise Refusal(404, "there is no such tile")
        return Response(
            found,
            media_type="application/octet-stream",
            headers={"Cache-Control": "private, max-age=31536000, immutable"},
        )

    # What readers do

    async def events(self, request: Request) -> Response:
        """Keep what a reader did; answered when it is on the disk."""
        reader = await self._reader(request)
        body = await body_of(request)
        if body is None:
            raise Refusal(413, "the request is too large")
        try:
            given = json.loads(body)
            events = given["events"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Refusal(400, "the request holds no events") from None
        if not isinstance(events, list) or len(events) > MOST_EVENTS:
            raise Refusal(400, f"the request holds no list of at most {MOST_EVENTS} events")
        return JSONResponse(await run_in_threadpool(self._keep, reader, events))

    def _keep(self, reader: str, events: list[Any]) -> dict[str, Any]:
        saved, refused = self.log.keep(reader, events)
        self._troubles.over("log")
        cases = [event.get("case") for event in events if isinstance(event, dict) and event.get("id") in saved]
        numbers = {case for case in cases if type(case) is int}  # of two events with one id one may say anything
        slots = [slot for number in numbers if (slot := self.log.slot(reader, number))]
        self.publisher.some(reader, [(slot.case, slot.occasion) for slot in slots])
        return {"saved": saved, "refused": [{"id": one.id, "why": one.why} for one in refused], "status": 200}

    # What the owner sees

    async def _owner(self, request: Request) -> None:
        who = await run_in_threadpool(self._person, request, self._calls)
        if not who.owner:
            raise Refusal(403, "results are for the study's owner")

    async def results_html(self, request: Request) -> Response:
        """Progress, Table 2 and its bars."""
        await self._owner(request)
        return Response(await run_in_threadpool(self.results.html), media_type="text/html; charset=utf-8")

    async def ratings_file(self, request: Request) -> Response:
        """What holds now."""
        await self._owner(request)
        return _csv(await run_in_threadpool(lambda: ratings_csv(self.publisher.ratings())), "ratings.csv")

    async def log_file(self, request: Request) -> Response:
        """Everything that was clicked."""
        await self._owner(request)
        return _csv(await run_in_threadpool(log_csv, self.log), "log.csv")

    # The page's files

    async def page(self, request: Request) -> Response:
        """A file of the page."""
        name = request.path_params.get("name", "index.html")
        kind = _KINDS.get(Path(name).suffix)
        if kind is None or name.startswith(".") or name not in {path.name for path in PAGE.iterdir() if path.is_file()}:
            raise Refusal(404, "there is no such page")
        data = await run_in_threadpool((PAGE / name).read_bytes)
        tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(data, media_type=kind, headers=headers)


def _csv(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + text, media_type="text/csv; charset=utf-8", headers=headers)


async def _nothing(request: Request, error: Exception) -> Response:
    return JSONResponse({"why": "there is no such page"}, getattr(error, "status_code", 404))
