"""HTTP for every fetcher that needs it: asking what a URL stands for, and transferring it from an offset.

Bytes are passed on as the server sends them, without undoing a ``Content-Encoding``: an archive that a server labels
so would otherwise come out changed, and ranges count encoded bytes anyway. Proxies come from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tsws.errors import FetchError
from tsws.io.retry import TryAgain
from tsws.plugin import Stream
from tsws.version import __version__

if TYPE_CHECKING:
    import httpx2

CONNECT_TIMEOUT = 15.0
"""Seconds for making a connection."""
READ_TIMEOUT = 30.0
"""Seconds without a single byte after which a connection counts as broken."""
_HEADERS = {"User-Agent": f"tsws/{__version__}", "Accept-Encoding": "identity"}
_HEAD_REFUSED = frozenset({400, 403, 405, 501})
"""Answers of servers that may only dislike the method: signed addresses, for one, are signed for GET."""
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})

DEFAULT_HINTS: Mapping[int, str] = {
    401: "this address asks for a login, which tsws does not send; download the file by hand and name its path",
    403: "the server refuses; open the address in a browser to see whether it needs a login or has moved",
    404: "check the address for typing errors; open it in a browser",
    410: "the file was removed; look for another source",
}


@dataclass(frozen=True)
class Headers:
    """What a server says about a file before sending it."""

    size: int | None
    """In bytes."""
    version: str | None
    """Entity tag, or time of the last change."""
    disposition: str | None
    """The ``Content-Disposition`` header."""


def look(url: str, *, headers: Mapping[str, str] | None = None, hints: Mapping[int, str] = DEFAULT_HINTS) -> Headers:
    """Ask what a URL stands for.

    Raises:
        FetchError: the server refuses, or does not know it.
        TryAgain: it could not be reached, or is too busy.
    """
    with _client(headers) as client, _network_errors(url):
        response = client.head(url)
        if response.status_code in _HEAD_REFUSED:
            with client.stream("GET", url, headers={"Range": "bytes=0-0"}) as response:
                if response.status_code != 416:  # an empty file has no first byte
                    _check(response, url, hints)
        else:
            _check(response, url, hints)
        return Headers(_whole_size(response), _version(response), response.headers.get("Content-Disposition"))


@contextmanager
def transfer(
    url: str,
    offset: int,
    version: str | None,
    *,
    headers: Mapping[str, str] | None = None,
    hints: Mapping[int, str] = DEFAULT_HINTS,
) -> Iterator[Stream]:
    """Open a transfer that begins at ``offset``, or at 0 when the server can not, or the file is not ``version`` any more.

    Raises:
        FetchError, TryAgain: as :func:`look`; reading chunks raises TryAgain when the connection breaks.
    """
    asked = {}
    if offset:
        asked["Range"] = f"bytes={offset}-"
        if version is not None and not version.startswith("W/"):  # RFC 9110, 13.1.5: no weak tags here
            asked["If-Range"] = version
    with _client(headers) as client, _network_errors(url):
        with client.stream("GET", url, headers=asked) as response:
            if response.status_code != 416:
                _check(response, url, hints)
                yield _stream(response, url)
                return
        with client.stream("GET", url) as response:  # the file is shorter now than what we have: all of it
            _check(response, url, hints)
            yield _stream(response, url)


def get_text(url: str, *, headers: Mapping[str, str] | None = None, hints: Mapping[int, str] = DEFAULT_HINTS) -> str:
    """A short text, such as an API's answer. Raises as :func:`look`."""
    with _client(headers) as client, _network_errors(url):
        response = client.get(url)
        _check(response, url, hints)
        return response.text


def _client(headers: Mapping[str, str] | None) -> httpx2.Client:
    import httpx2

    return httpx2.Client(
        headers={**_HEADERS, **(headers or {})},
        follow_redirects=True,
        max_redirects=10,
        timeout=httpx2.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
    )


@contextmanager
def _network_errors(url: str) -> Iterator[None]:
    """Say of each way in which a connection fails whether trying again may help."""
    import ssl

    import httpx2

    try:
        yield
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise FetchError(f"{url} is no web address: {error}", hint="write it as https://HOST/PATH") from error
    except httpx2.TooManyRedirects as error:
        raise FetchError(f"{url} redirects in circles", hint="open it in a browser to find the real address") from error
    except httpx2.TransportError as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                raise FetchError(
                    f"{url}: the server's certificate is not valid: {cause.verify_message}",
                    hint="check the address, this machine's clock, and SSL_CERT_FILE if your network has its own authority",
                ) from error
            cause = cause.__cause__ or cause.__context__
        raise TryAgain(f"{url}: {error or type(error).__name__}") from error


def _check(response: httpx2.Response, url: str, hints: Mapping[int, str]) -> None:
    status = response.status_code
    if status < 400:
        return
    reason = f"{status} {response.reason_phrase}".strip()
    if status in _MAY_PASS:
        raise TryAgain(f"{url}: {reason}", after=retry_after(response.headers.get("Retry-After")))
    raise FetchError(f"{url}: the server answers {reason}", hint=hints.get(status, DEFAULT_HINTS.get(status)))


def retry_after(header: str | None) -> float | None:
    """Seconds that a ``Retry-After`` header (RFC 9110, 10.2.3: seconds or a date) asks for, or None."""
    from email.utils import parsedate_to_datetime

    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _stream(response: httpx2.Response, url: str) -> Stream:
    offset = 0
    if response.status_code == 206:
        found = re.match(r"bytes (\d+)-\d+/(?:\d+|\*)$", response.headers.get("Content-Range", ""))
        if found is None:
            raise TryAgain(f"{url}: the server sent a part of the file without saying which")
        offset = int(found[1])
    return Stream(offset=offset, total=_whole_size(response), chunks=_chunks(response, url))


def _chunks(response: httpx2.Response, url: str) -> Iterator[bytes]:
    with _network_errors(url):
        yield from response.iter_raw()


def _whole_size(response: httpx2.Response) -> int | None:
    """Size of the whole file, of which the response may be a part."""
    if response.status_code in {206, 416}:
        total = response.headers.get("Content-Range", "").rpartition("/")[2]
        return int(total) if total.isdecimal() else None
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _version(response: httpx2.Response) -> str | None:
    version: str | None = response.headers.get("ETag") or response.headers.get("Last-Modified")
    return version
