"""A service elsewhere, spoken to over its API."""

import os
import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from publisher.errors import RemoteError, SettingsError
from publisher.settings import is_local

WITHIN_S = 30.0
TRIES = 3
WAIT_S = 0.5
UNAVAILABLE = 503
TOO_OFTEN = 429
LONGEST_WAIT_S = 60
PAGE = 100
USER_AGENT = "Publisher/0.1 (command)"


class Service:
    """
    Asks, and says what goes wrong in one sentence.

    What is asked carries a key, so that it is asked again where no answer comes, and done once.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = _checked(url)
        if not token:
            problem = "must be set to a token of that service; there it is made by: publisher token add NAME --scope …"
            raise SettingsError("PUBLISHER_TOKEN", problem)
        headers = {"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT}
        self._client = httpx.Client(base_url=f"{self.url}/api/v1/", headers=headers, timeout=WITHIN_S)

    def get(self, path: str, **query: Any) -> Any:
        named = {name: value for name, value in query.items() if value not in {None, ""}}
        return self._ask("GET", path, params=named)

    def post(self, path: str, form: Mapping[str, Any] | None = None) -> Any:
        return self._ask("POST", path, json=form) if form is not None else self._ask("POST", path)

    def post_bytes(self, path: str, data: bytes, media_type: str) -> Any:
        return self._ask("POST", path, content=data, headers={"Content-Type": media_type})

    def put(self, path: str, form: Mapping[str, Any]) -> Any:
        return self._ask("PUT", path, json=form)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

    def listed(self, path: str, at_most: int, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield what a list holds, page by page."""
        cursor: str | None = ""
        while cursor is not None and at_most > 0:
            page = self.get(path, limit=min(PAGE, at_most), cursor=cursor, **query)
            yield from page["data"]
            at_most, cursor = at_most - len(page["data"]), page.get("next")

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, path: str, **sent: Any) -> Any:
        headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        headers |= sent.pop("headers", {})
        for left in reversed(range(TRIES)):
            wait_s = WAIT_S
            try:
                answer = self._client.request(method, path, headers=headers, **sent)
            except httpx.HTTPError as problem:
                if not left:
                    said = str(problem) or type(problem).__name__
                    raise RemoteError(self.url, f"It does not answer ({said}).") from None
            else:
                if answer.status_code not in {UNAVAILABLE, TOO_OFTEN} or not left:
                    return self._read(answer)
                wait_s = _asked_wait(answer)
            time.sleep(wait_s)
        raise AssertionError  # the last try returns or raises

    def _read(self, answer: httpx.Response) -> Any:
        if answer.is_success:
            return self._json(answer) if answer.content else None
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise RemoteError(self.url, "It does not know this token, or it was revoked. Set PUBLISHER_TOKEN.")
        if answer.is_redirect:
            raise RemoteError(self.url, f"It is elsewhere: {answer.headers.get('Location', '')}")
        problem = self._json(answer)
        raise RemoteError(self.url, str(problem.get("detail") or problem.get("title") or answer.status_code))

    def _json(self, answer: httpx.Response) -> Any:
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RemoteError(self.url, f"It answers {answer.status_code}, and not as Publisher does.")
        return found


@cache
def service() -> Service:
    """Return the service that the command line or the environment names."""
    return Service(os.environ.get("PUBLISHER_URL", ""), os.environ.get("PUBLISHER_TOKEN", ""))


def hang_up() -> None:
    """Close the connections to it, if there were any."""
    if service.cache_info().currsize:
        service().close()
        service.cache_clear()


def _asked_wait(answer: httpx.Response) -> float:
    """Return how long to wait for a service that has answered "too often"; a minute at most."""
    said = answer.headers.get("Retry-After", "")
    is_told = answer.status_code == TOO_OFTEN and said.isascii() and said.isdecimal()
    return min(float(said[:9]), LONGEST_WAIT_S) if is_told else WAIT_S


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        is_fine = False
    if not is_fine or parts.query or parts.fragment or parts.path not in {"", "/"}:
        raise SettingsError("PUBLISHER_URL", "must be the service's address, such as https://news.example.org")
    if parts.scheme == "http" and not is_local(url):
        raise SettingsError("PUBLISHER_URL", "must begin with https://, for the token goes with every request")
    return url.rstrip("/")
