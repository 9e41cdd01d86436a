"""What each scheme's URIs stand for, and how refusals are explained."""

from __future__ import annotations

import hashlib
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import httpx2
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.hub import Fault, HubServer
from tsws.errors import FetchError
from tsws.fetch import LockFile, Pin, download
from tsws.fetch.lockfile import add
from tsws.io.paths import is_relative_inside
from tsws.io.retry import TryAgain
from tsws.plugin import Fetcher, Origin, load_plugins
from tsws_fetchers import FileFetcher, FilesystemFetcher, GitHubFetcher, HttpFetcher, HuggingFaceFetcher
from tsws_fetchers.filename import safe_filename
from tsws_fetchers.web import _network_errors, retry_after

DATA = b"Once upon a time, there was a little girl named Lily."
DIGEST = hashlib.sha256(DATA).hexdigest()
BLOB = hashlib.sha1(b"blob %d\0" % len(DATA) + DATA, usedforsecurity=False).hexdigest()
COMMIT = "c0ffee00" * 5
GIT_COMMIT = "deadbeef" * 5


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    for name in ("HF_TOKEN", "GITHUB_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with HubServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def read(fetcher: Fetcher, origin: Origin, offset: int = 0) -> tuple[int, int | None, bytes]:
    with fetcher.open(origin, offset) as stream:
        return stream.offset, stream.total, b"".join(stream.chunks)


def test_the_plugin_registers_every_scheme() -> None:
    fetchers = load_plugins().fetchers
    assert {scheme: fetchers[scheme] for scheme in ("http", "https", "hf", "github", "file", "s3", "gs", "ftp")} == {
        "http": HttpFetcher,
        "https": HttpFetcher,
        "hf": HuggingFaceFetcher,
        "github": GitHubFetcher,
        "file": FileFetcher,
        "s3": FilesystemFetcher,
        "gs": FilesystemFetcher,
        "ftp": FilesystemFetcher,
    }


def test_every_scheme_of_the_filesystem_fetcher_is_known_to_fsspec() -> None:
    assert set(FilesystemFetcher.schemes) <= set(fsspec.available_protocols())


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    code = """
import sys
import tsws_fetchers
import tsws.fetch
print(sorted({"httpx2", "httpx", "huggingface_hub", "fsspec", "filelock", "tomli_w", "asyncio", "ssl"} & set(sys.modules)))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


# --- http -----------------------------------------------------------------------------------------


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


# --- Hugging Face ---------------------------------------------------------------------------------


@pytest.mark.parametrize("repo", ["datasets/enio/TinyStories", "karpathy/tinyllamas", "spaces/enio/demo"])
def test_hf_pins_the_commit_and_knows_the_digest_of_large_files(hub: HubServer, repo: str) -> None:
    uri = hub.add_hugging_face(repo, "tok105/tok105.tar.gz", DATA)
    fetcher = HuggingFaceFetcher()
    origin = fetcher.resolve(uri)
    assert origin == Origin(
        uri=uri,
        url=f"{hub.url}/{repo}/resolve/{COMMIT}/tok105/tok105.tar.gz",
        filename="tok105.tar.gz",
        size=len(DATA),
        version=DIGEST,
        sha256=DIGEST,
    )
    assert read(fetcher, origin, 5) == (5, len(DATA), DATA[5:])


def test_hf_small_files_have_no_digest(hub: HubServer) -> None:
    uri = hub.add_hugging_face("karpathy/tinyllamas", "config.json", DATA, large=False)
    origin = HuggingFaceFetcher().resolve(uri)
    assert (origin.size, origin.version, origin.sha256) == (len(DATA), BLOB, None)


def test_hf_asks_for_the_file_and_for_nothing_else(hub: HubServer, tmp_path: Path) -> None:
    uri = hub.add_hugging_face("karpathy/tinyllamas", "a.bin", DATA)
    code = f"from tsws_fetchers import HuggingFaceFetcher; HuggingFaceFetcher().resolve({uri!r})"
    environment = {**os.environ, "HF_HOME": str(tmp_path)}
    environment.pop("HF_HUB_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert [(request.method, request.path) for request in hub.requests] == [
        ("HEAD", "karpathy/tinyllamas/resolve/main/a.bin")
    ]


@pytest.mark.parametrize(
    ("revision", "written"), [("v1.0", "v1.0"), ("refs/pr/1", "refs%2Fpr%2F1"), ("refs/pr/1", "refs/pr/1")]
)
def test_hf_revisions_are_understood(hub: HubServer, revision: str, written: str) -> None:
    hub.add_hugging_face("karpathy/tinyllamas", "a/b.bin", DATA, revision=revision)
    origin = HuggingFaceFetcher().resolve(f"hf://karpathy/tinyllamas@{written}/a/b.bin")
    assert origin.url == f"{hub.url}/karpathy/tinyllamas/resolve/{COMMIT}/a/b.bin"


def test_hf_sends_the_token_to_the_hub_and_not_to_its_store(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    uri = hub.add_hugging_face("datasets/me/private", "stories.txt", DATA, token="secret")
    fetcher = HuggingFaceFetcher()
    assert read(fetcher, fetcher.resolve(uri)) == (0, len(DATA), DATA)
    assert "Authorization" not in hub.gets(f"store/{DIGEST}")[0].headers


def test_hf_sends_the_token_to_nobody_else(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    elsewhere = hub.add("trap", DATA).replace("127.0.0.1", "localhost")
    read(HuggingFaceFetcher(), Origin(uri="hf://a/b/c", url=elsewhere, filename="c"))
    assert "Authorization" not in hub.requests[-1].headers


@pytest.mark.parametrize(
    ("status", "code", "message", "hint"),
    [
        (401, "", "there is no such repository, or it is private (401)", "HF_TOKEN"),
        (404, "RepoNotFound", "there is no such repository, or it is private (404)", "hf://datasets/"),
        (403, "GatedRepo", "its repository is gated (403)", "accept the repository's conditions"),
        (404, "EntryNotFound", "its repository has no such file (404)", "check the path"),
        (404, "RevisionNotFound", "its repository has no such revision (404)", "'@'"),
        (403, "", "the Hub answers 403", "HF_TOKEN"),
        (404, "", "the Hub answers 404", "check owner"),
    ],
)
def test_hf_refusals_are_explained(hub: HubServer, status: int, code: str, message: str, hint: str) -> None:
    hub.add("datasets/a/b/resolve/main/c", status=status, etag=None, headers={"X-Error-Code": code} if code else {})
    with pytest.raises(FetchError) as caught:
        HuggingFaceFetcher().resolve("hf://datasets/a/b/c")
    assert caught.value.message == f"hf://datasets/a/b/c can not be fetched: {message}"
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_hf_trouble_may_pass(hub: HubServer, status: int) -> None:
    hub.add("a/b/resolve/main/c", status=status, headers={"Retry-After": "3"}, etag=None)
    with pytest.raises(TryAgain) as caught:
        HuggingFaceFetcher().resolve("hf://a/b/c")
    assert caught.value.after == 3.0


def test_hf_no_network_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(TryAgain, match="hf://a/b/c"):
        HuggingFaceFetcher().resolve("hf://a/b/c")


def test_a_pinned_branch_gives_the_pinned_bytes_after_it_moved(hub: HubServer, tmp_path: Path) -> None:
    uri = hub.add_hugging_face("datasets/a/b", "stories.txt", DATA, large=False)
    lock = tmp_path / "tinystories.lock"

    def fetch(pin: Pin | None) -> bytes:
        fetched = download(uri, tmp_path / "file", fetcher=HuggingFaceFetcher(), partial=tmp_path / "partial", pin=pin)
        add(lock, fetched.pin())
        return (tmp_path / "file").read_bytes()

    assert fetch(None) == DATA
    hub.add_hugging_face("datasets/a/b", "stories.txt", b"new", commit="a" * 40, large=False)
    assert fetch(LockFile.load(lock).pin_for(uri)) == DATA
    assert fetch(None) == b"new"


# --- GitHub ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ref", ["HEAD", "master", "v1.0"])
def test_github_pins_the_commit(hub: HubServer, ref: str) -> None:
    uri = hub.add_github("karpathy/llama2.c", "doc/stories 1.txt", DATA, ref=ref)
    fetcher = GitHubFetcher()
    origin = fetcher.resolve(uri)
    assert origin.url == f"{hub.url}/karpathy/llama2.c/{GIT_COMMIT}/doc/stories%201.txt"
    assert (origin.filename, origin.size) == ("stories 1.txt", len(DATA))
    assert read(fetcher, origin, 5) == (5, len(DATA), DATA[5:])


def test_github_a_commit_needs_no_asking(hub: HubServer) -> None:
    hub.add_github("karpathy/llama2.c", "run.c", DATA)
    GitHubFetcher().resolve(f"github://karpathy/llama2.c@{GIT_COMMIT}/run.c")
    assert {request.path for request in hub.requests} == {f"karpathy/llama2.c/{GIT_COMMIT}/run.c"}


def test_github_gives_large_files_and_not_the_lines_that_name_them(hub: HubServer) -> None:
    uri = hub.add_github("me/stories", "all.txt", DATA, large=True)
    origin = GitHubFetcher().resolve(uri)
    assert origin == Origin(
        uri=uri,
        url=f"{hub.url}/media/me/stories/{GIT_COMMIT}/all.txt",
        filename="all.txt",
        size=len(DATA),
        version=DIGEST,
        sha256=DIGEST,
    )
    assert read(GitHubFetcher(), origin, 5) == (5, len(DATA), DATA[5:])


def test_github_goes_by_the_ref_where_the_api_refuses(hub: HubServer) -> None:
    uri = hub.add_github("karpathy/llama2.c", "run.c", DATA, ref="master")
    hub.add("repos/karpathy/llama2.c/commits/master", status=403)
    assert GitHubFetcher().resolve(uri).url == f"{hub.url}/karpathy/llama2.c/master/run.c"


def test_github_sends_the_token(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = hub.add_github("me/private", "stories.txt", DATA, token="secret")
    with pytest.raises(FetchError, match="401") as caught:
        GitHubFetcher().resolve(uri)
    assert "GITHUB_TOKEN" in (caught.value.hint or "")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    assert read(GitHubFetcher(), GitHubFetcher().resolve(uri)) == (0, len(DATA), DATA)


def test_github_names_what_is_not_there(hub: HubServer) -> None:
    with pytest.raises(FetchError, match="the server answers 404") as caught:
        GitHubFetcher().resolve("github://a/b/c")
    assert "GITHUB_TOKEN" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "uri",
    [
        "hf://",
        "hf://gpt2",
        "hf://a/b",
        "hf://a/b/",
        "hf://a/b/../../c",
        "hf://datasets/a/b",
        "hf://a b/c/d",
        "github://a/b",
        "github:a/b/c",
        "github://a/b@/c",
        "github://a/b@..%2Fx/c",
    ],
)
def test_what_names_no_file_of_a_repository_is_refused_with_an_example(uri: str) -> None:
    fetcher = load_plugins().fetcher_for(uri)
    with pytest.raises(FetchError, match="does not name a file of a repository") as caught:
        fetcher.resolve(uri)
    assert "://karpathy/" in (caught.value.hint or "")


# --- file -----------------------------------------------------------------------------------------


def test_file_uris_are_absolute_or_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "my stories.txt"
    path.write_bytes(DATA)
    monkeypatch.chdir(tmp_path)
    fetcher = FileFetcher()
    for uri in (
        path.as_uri(),
        f"file:{path}",
        "file:my stories.txt",
        "file:./my%20stories.txt",
        f"file://localhost{path}",
    ):
        origin = fetcher.resolve(uri)
        assert origin == Origin(
            uri=uri,
            url=path.as_uri(),
            filename="my stories.txt",
            size=len(DATA),
            version=str(path.stat().st_mtime_ns),
        )
        assert read(fetcher, origin, 5) == (5, len(DATA), DATA[5:])


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("file:absent.txt", "can not be read: No such file or directory"),
        ("file:///", "is no regular file"),
        ("file:", "names no file"),
        ("file://server/share", "names the machine 'server'"),
    ],
)
def test_file_uris_that_lead_nowhere_are_explained(uri: str, message: str) -> None:
    with pytest.raises(FetchError, match=message):
        FileFetcher().resolve(uri)


# --- fsspec ---------------------------------------------------------------------------------------


class Bucket(MemoryFileSystem):
    """Stands in for the package of a store."""

    protocol = "s3"
    cachable = False
    failure: Exception | None = None

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("s3://").strip("/")

    def info(self, path: str, **kwargs: object) -> dict[str, object]:
        if self.failure is not None:
            raise self.failure
        return {**super().info(path, **kwargs), "ETag": '"v1"'}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> type[Bucket]:
    monkeypatch.setitem(_registry, "s3", Bucket)
    monkeypatch.setattr(Bucket, "store", {})
    return Bucket


def test_stores_are_read_through_fsspec(bucket: type[Bucket]) -> None:
    bucket().pipe_file("/stories/a.txt", DATA)
    fetcher = FilesystemFetcher()
    origin = fetcher.resolve("s3://stories/a.txt")
    assert origin == Origin(
        uri="s3://stories/a.txt", url="s3://stories/a.txt", filename="a.txt", size=len(DATA), version='"v1"'
    )
    assert read(fetcher, origin, 5) == (5, len(DATA), DATA[5:])


@pytest.mark.parametrize(
    ("failure", "raised", "message"),
    [
        (FileNotFoundError("x"), FetchError, "s3://stories/a.txt: there is no such file"),
        (PermissionError("Forbidden"), FetchError, "s3://stories/a.txt: no permission: Forbidden"),
        (RuntimeError("no credentials"), FetchError, "s3://stories/a.txt: RuntimeError: no credentials"),
        (ConnectionResetError("reset"), TryAgain, "s3://stories/a.txt: reset"),
    ],
)
def test_errors_of_stores_are_explained(
    bucket: type[Bucket], monkeypatch: pytest.MonkeyPatch, failure: Exception, raised: type[Exception], message: str
) -> None:
    monkeypatch.setattr(bucket, "failure", failure)
    with pytest.raises(raised) as caught:
        FilesystemFetcher().resolve("s3://stories/a.txt")
    assert str(caught.value) == message


def test_a_folder_of_a_store_is_refused(bucket: type[Bucket]) -> None:
    bucket().pipe_file("/stories/a.txt", DATA)
    with pytest.raises(FetchError, match="is a folder"):
        FilesystemFetcher().resolve("s3://stories")


def test_a_store_whose_package_is_missing_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(FetchError, match="Please install gcsfs") as caught:
        FilesystemFetcher().resolve("gs://stories/a.txt")
    assert "install the package" in (caught.value.hint or "")
