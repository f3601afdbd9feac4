"""What every request meets before it is answered: Host and Origin, sizes, rates; and what every answer carries."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

MOST_BODY = 4 << 20
MOST_PATH = 1000  #: characters
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Bucket:
    """So many at once, and so many a second; of each key, and of few keys at a time.

    Time is the process's own: setting the clock changes nothing.
    """

    def __init__(self, burst: float, per_second: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self.burst, self.per_second, self.now = burst, per_second, now
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> float:
        """Seconds to wait; 0: go on."""
        now = self.now()
        left, since = self._left.get(key, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.per_second)
        if len(self._left) > 10_000:
            self._left.clear()
        if left < 1:
            self._left[key] = (left, now)
            return (1 - left) / self.per_second
        self._left[key] = (left - 1, now)
        return 0.0


class Gate:
    """An ASGI application around another: refuses what a browser on our page would not send.

    Parameters
    ----------
    app : ASGI application
    names : set of str
        Host names that are ours, lower case; numeric addresses are always, since no rebinding of names leads to them.
    say : callable
        Takes a line for the study's owner.
    tls : bool
    """

    def __init__(self, app: Any, names: set[str], say: Callable[[str], None], *, tls: bool) -> None:
        self.app, self.names, self.say, self.tls = app, names, say, tls

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        from starlette.responses import JSONResponse

        if scope["type"] != "http":
            return
        started = False

        async def with_headers(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                there = {name.lower() for name, _ in message["headers"]}
                more = HEADERS | ({} if b"cache-control" in there else {"cache-control": "no-store"})
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in more.items())]
            await send(message)

        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        trouble = self._trouble(scope["method"], headers)
        if len(scope["path"]) > MOST_PATH:  # numbers of thousands of digits are no numbers to Python
            trouble = 414, f"the address is too long; allowed are {MOST_PATH} characters"
        if trouble:
            status, why = trouble
            await JSONResponse({"why": why}, status)(scope, receive, with_headers)
            return
        try:
            await self.app(scope, receive, with_headers)
        except Exception as error:
            self.say(f"a request failed: unexpected {type(error).__name__}; please report it")
            if not started:
                answer = JSONResponse({"why": "the server failed at this; try again"}, 500)
                await answer(scope, receive, with_headers)

    def _trouble(self, method: str, headers: dict[bytes, str]) -> tuple[int, str] | None:
        host = headers.get(b"host", "")
        if not self._ours(host):
            return 403, "the address in the browser is not this server's: open the link that was printed"
        origin = headers.get(b"origin")
        scheme = "https" if self.tls else "http"
        if origin is not None and origin.lower() != f"{scheme}://{host.lower()}":
            return 403, "the request comes from another page"
        if headers.get(b"sec-fetch-site", "same-origin") not in ("same-origin", "none") and method != "GET":
            return 403, "the request comes from another page"
        if method not in ("GET", "HEAD"):
            if origin is None:
                return 403, "the request has no Origin"
            if headers.get(b"content-type", "").split(";")[0].strip().lower() != "application/json":
                return 415, "the request is no JSON"
        length = headers.get(b"content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length[:20]) > MOST_BODY:
            return 413, f"the request is too large; allowed are {MOST_BODY} bytes"
        return None

    def _ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self.names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


async def body_of(request: Any) -> bytes | None:
    """A request's body; None where it is larger than its limit, whatever its header said."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BODY:
            return None
        parts.append(part)
    return b"".join(parts)
