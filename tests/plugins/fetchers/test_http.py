"""What http(s) URIs stand for, and how servers are asked."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.hub import Fault, HubServer
from tests.plugins.fetchers.content import DATA, read
from tsws.errors import FetchError
from tsws.io.paths import is_relative_inside
from tsws.plugin import Origin
from tsws_fetchers import HttpFetcher
from tsws_fetchers.filename import safe_filename
from tsws_fetchers.web import _network_errors, retry_after


def test_http_says_name_size_and_version(hub: HubServer) -> None:
    url = hub.add("a/stories 1.txt", DATA, etag='"v1"')
    assert HttpFetcher().resolve(url) == Origin(
        uri=url, url=url, filename="stories 1.txt", size=len(DATA), version='"v1"'
    )


def test_http_takes_the_time_of_change_for_want_of_a_tag(hub: HubServer) -> None:
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    origin = HttpFetcher().resolve(hub.add("a", DATA, etag=None, headers={"Last-Modified": date}))
    assert origin.version == date
    assert read(HttpFetcher(), origin, 5) == (5, len(DATA), DATA[5:])
    assert hub.requests[-1].headers["If-Range"] == date


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="stories.txt"', "stories.txt"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment; filename*=UTF-8''%C3%A4.txt", "ä.txt"),
        ('attachment; filename=".bashrc"', "bashrc"),
        ('attachment; filename="a\\b.txt"', "b.txt"),
        ('attachment; filename=""', "path"),
        ("inline", "path"),
        ("", "path"),
    ],
)
def test_http_makes_the_servers_name_safe(hub: HubServer, header: str, name: str) -> None:
    url = hub.add("some/path", DATA, headers={"Content-Disposition": header} if header else {})
    assert HttpFetcher().resolve(url).filename == name


@given(st.text() | st.text(alphabet="ä. /", min_size=150))
def test_whatever_a_server_suggests_the_name_is_plain(name: str) -> None:
    safe = safe_filename(name)
    assert is_relative_inside(safe)
    assert safe == Path(safe).name
    assert safe.isprintable()
    assert not safe.startswith(".")
    assert 0 < len(safe.encode()) <= 200


def test_http_without_any_name_has_one(hub: HubServer) -> None:
    assert HttpFetcher().resolve(hub.add("", DATA)).filename == "download"


@pytest.mark.parametrize("status", [400, 403, 405, 501])
def test_http_servers_that_refuse_head_are_asked_otherwise(hub: HubServer, status: int) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", Fault(method="HEAD", status=status))
    assert HttpFetcher().resolve(url).size == len(DATA)
    hub.add("empty", b"")
    hub.fail("empty", Fault(method="HEAD", status=status))
    assert HttpFetcher().resolve(f"{hub.url}/empty").size == 0


def test_http_continues_only_the_same_version(hub: HubServer) -> None:
    url = hub.add("stories.txt", DATA, etag='"v1"')
    origin = HttpFetcher().resolve(url)
    assert read(HttpFetcher(), origin, 5) == (5, len(DATA), DATA[5:])
    hub.add("stories.txt", DATA.upper(), etag='"v2"')
    assert read(HttpFetcher(), origin, 5) == (0, len(DATA), DATA.upper())


def test_http_does_not_make_a_condition_of_a_weak_tag(hub: HubServer) -> None:
    origin = HttpFetcher().resolve(hub.add("stories.txt", DATA, etag='W/"v1"'))
    assert read(HttpFetcher(), origin, 5) == (5, len(DATA), DATA[5:])
    assert "If-Range" not in hub.requests[-1].headers


def test_http_begins_anew_where_the_file_became_shorter(hub: HubServer) -> None:
    url = hub.add("stories.txt", DATA, etag=None)
    origin = HttpFetcher().resolve(url)
    assert read(HttpFetcher(), origin, 500) == (0, len(DATA), DATA)


def test_http_sends_a_login_to_nobody(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    read(HttpFetcher(), HttpFetcher().resolve(hub.add("stories.txt", DATA)))
    assert all("Authorization" not in request.headers for request in hub.requests)


@pytest.mark.parametrize("url", ["http://", "https:///x"])
def test_http_names_what_is_no_address(url: str) -> None:
    with pytest.raises(FetchError, match="is no web address"):
        HttpFetcher().resolve(url)


def test_http_names_a_circle_of_redirects(hub: HubServer) -> None:
    url = hub.add_redirect("a", f"{hub.url}/a")
    with pytest.raises(FetchError, match="redirects in circles"):
        HttpFetcher().resolve(url)


def test_http_uses_the_proxy_of_the_environment(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("stories.txt", DATA)
    monkeypatch.setenv("http_proxy", hub.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert HttpFetcher().resolve("http://stories.invalid/stories.txt").size == len(DATA)


def test_a_bad_certificate_is_not_tried_again() -> None:
    cause = ssl.SSLCertVerificationError()
    cause.verify_message = "self-signed certificate"
    with (
        pytest.raises(FetchError, match="certificate is not valid: self-signed") as caught,
        _network_errors("https://x/y"),
    ):
        raise httpx2.ConnectError("") from cause
    assert "SSL_CERT_FILE" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds
