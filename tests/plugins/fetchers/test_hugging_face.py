"""What `hf://` URIs stand for, and how refusals are explained."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.hub import HubServer
from tests.plugins.fetchers.content import BLOB, COMMIT, DATA, DIGEST, read
from tsws.errors import FetchError
from tsws.fetch import LockFile, Pin, download
from tsws.fetch.lockfile import add
from tsws.io.retry import TryAgain
from tsws.plugin import Origin
from tsws_fetchers import HuggingFaceFetcher


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
