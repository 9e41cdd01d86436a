"""Downloads end with the promised bytes, or with a clear error; whatever happens on the way."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.hub import Fault, HubServer
from tsws.errors import FetchError, InterruptedByUser, VerifyError
from tsws.fetch import Fetched, Pin
from tsws.fetch import partial as partial_module
from tsws.fetch import transfer as transfer_module
from tsws.fetch.download import exponential_backoff
from tsws.plugin import Origin

Fetch = Callable[..., Fetched]
DATA = random.Random(1).randbytes(300_000)
DIGEST = hashlib.sha256(DATA).hexdigest()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_verified_and_described(hub: HubServer, fetch: Fetch, tmp_path: Path, partial: Path) -> None:
    url = hub.add("stories.txt", DATA, etag='"v1"')
    fetched = fetch(url)
    assert fetched == Fetched(
        Origin(uri=url, url=url, filename="stories.txt", size=len(DATA), version='"v1"'), len(DATA), DIGEST
    )
    assert fetched.pin() == Pin(uri=url, url=url, size=len(DATA), sha256=DIGEST, version='"v1"')
    assert (tmp_path / "file").read_bytes() == DATA
    assert [name.rpartition(".")[2] for name in names(partial)] == ["lock"]


def test_an_empty_file_is_a_file(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    assert fetch(hub.add("empty", b"")).size == 0
    assert (tmp_path / "file").read_bytes() == b""


def test_a_file_of_unknown_size_is_fetched(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    url = hub.add("stories.txt", DATA, etag=None)
    hub.fail("stories.txt", Fault(method="HEAD", status=405), Fault(ignore_range=True, stated_length=-1))
    hub.fail("stories.txt", Fault(stated_length=-1))
    assert fetch(url).size == len(DATA)
    assert (tmp_path / "file").read_bytes() == DATA


def test_a_cut_connection_goes_on_where_it_broke(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", Fault(cut_after=100_000), Fault(cut_after=50_000))
    fetch(url)
    assert (tmp_path / "file").read_bytes() == DATA
    assert hub.bytes_sent("stories.txt") == len(DATA)
    assert [get.headers.get("Range") for get in hub.gets("stories.txt")] == [None, "bytes=100000-", "bytes=150000-"]


def test_more_cuts_than_attempts_are_fine_while_it_gets_further(hub: HubServer, fetch: Fetch) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", *[Fault(cut_after=20_000)] * 10)
    assert fetch(url, attempts=2).sha256 == DIGEST


def test_a_line_that_never_gets_further_is_given_up(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", *[Fault(cut_after=0)] * 3)
    with pytest.raises(FetchError, match=r"could not be fetched: .* \(3 attempts\)") as caught:
        fetch(url, attempts=3)
    assert "run the command again" in (caught.value.hint or "")
    assert not (tmp_path / "file").exists()


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", Fault(cut_after=100_000))
    with pytest.raises(FetchError):
        fetch(url, attempts=1)
    fetch(url)
    assert (tmp_path / "file").read_bytes() == DATA
    assert hub.bytes_sent("stories.txt") == len(DATA)


def test_a_server_without_ranges_sends_all_again(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", Fault(cut_after=100_000), Fault(ignore_range=True))
    fetch(url)
    assert (tmp_path / "file").read_bytes() == DATA
    assert hub.bytes_sent("stories.txt") == 100_000 + len(DATA)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(hub: HubServer, fetch: Fetch, status: int) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", Fault(method="HEAD", status=status), Fault(status=status))
    assert fetch(url).sha256 == DIGEST


def test_retry_after_is_waited_for(hub: HubServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(transfer_module, "_wait", lambda seconds, transfer: waited.append(seconds))
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", Fault(status=429, headers={"Retry-After": "7"}), Fault(status=503))
    fetch(url, backoff=lambda attempt: attempt / 100)
    assert waited == [7.0, 0.02]


def test_a_server_that_asks_for_too_much_patience_is_given_up(hub: HubServer, fetch: Fetch) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", Fault(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(FetchError, match="the server asks to wait for 3600 s"):
        fetch(url)


def test_backoff_grows_to_a_limit() -> None:
    assert all(0.37 <= exponential_backoff(1) <= 0.63 for _ in range(20))
    assert all(22 <= exponential_backoff(60) <= 38 for _ in range(20))


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final_and_has_a_hint(hub: HubServer, fetch: Fetch, status: int) -> None:
    url = hub.add("stories.txt", status=status)
    with pytest.raises(FetchError, match=f"the server answers {status}") as caught:
        fetch(url)
    assert caught.value.hint
    assert len(hub.requests) <= 2


def test_a_file_that_changes_in_between_is_fetched_anew(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    url = hub.add("stories.txt", b"x" * 300_000, etag='"old"')
    hub.fail("stories.txt", Fault(cut_after=100_000))
    with pytest.raises(FetchError):
        fetch(url, attempts=1)
    hub.add("stories.txt", DATA, etag='"new"')
    assert fetch(url).origin.version == '"new"'
    assert (tmp_path / "file").read_bytes() == DATA


def test_a_file_that_changes_between_asking_and_sending_is_not_mixed(
    hub: HubServer, fetch: Fetch, tmp_path: Path
) -> None:
    url = hub.add("stories.txt", DATA, etag='"new"')
    hub.fail("stories.txt", Fault(method="HEAD", headers={"ETag": '"old"'}), Fault(cut_after=100_000))
    fetch(url)
    assert (tmp_path / "file").read_bytes() == DATA
    assert hub.bytes_sent("stories.txt") == 100_000 + len(DATA)


def test_without_version_and_digest_nothing_is_resumed(hub: HubServer, fetch: Fetch) -> None:
    url = hub.add("stories.txt", DATA, etag=None)
    hub.fail("stories.txt", Fault(cut_after=100_000))
    fetch(url)
    assert hub.bytes_sent("stories.txt") == 100_000 + len(DATA)


def test_with_a_digest_it_is_resumed_without_a_version(hub: HubServer, fetch: Fetch) -> None:
    url = hub.add("stories.txt", DATA, etag=None)
    hub.fail("stories.txt", Fault(cut_after=100_000))
    fetch(url, sha256=DIGEST)
    assert hub.bytes_sent("stories.txt") == len(DATA)


def test_parts_that_do_not_fit_are_fetched_anew_once(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    url = hub.add("stories.txt", b"x" * 300_000, etag=None)
    hub.fail("stories.txt", Fault(cut_after=100_000))
    with pytest.raises(FetchError):
        fetch(url, attempts=1, sha256=DIGEST)
    hub.add("stories.txt", DATA, etag=None)
    fetch(url, sha256=DIGEST)
    assert (tmp_path / "file").read_bytes() == DATA


@pytest.mark.parametrize("damage", ["bytes", "note", "shorter"])
def test_a_damaged_partial_is_not_built_upon(
    hub: HubServer, fetch: Fetch, tmp_path: Path, partial: Path, damage: str
) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", Fault(cut_after=100_000))
    with pytest.raises(FetchError):
        fetch(url, attempts=1)
    [part] = partial.glob("*.part")
    [note] = partial.glob("*.json")
    if damage == "bytes":
        part.write_bytes(b"x" + part.read_bytes()[1:])
    elif damage == "note":
        note.write_bytes(note.read_bytes()[:-5])
    else:
        part.write_bytes(part.read_bytes()[:-1])
    fetch(url)
    assert (tmp_path / "file").read_bytes() == DATA
    assert hub.bytes_sent("stories.txt") == 100_000 + len(DATA)


def test_bytes_behind_the_last_mark_do_not_count(hub: HubServer, fetch: Fetch, tmp_path: Path, partial: Path) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", Fault(cut_after=100_000))
    with pytest.raises(FetchError):
        fetch(url, attempts=1)
    [part] = partial.glob("*.part")
    with part.open("ab") as file:
        file.write(bytes(5000))  # what a loss of power leaves of pages that were not written
    fetch(url)
    assert (tmp_path / "file").read_bytes() == DATA
    assert hub.bytes_sent("stories.txt") == len(DATA)


def test_a_complete_partial_is_only_verified(
    hub: HubServer, fetch: Fetch, tmp_path: Path, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = hub.add("stories.txt", DATA)
    target = tmp_path / "folder"
    target.mkdir()
    with pytest.raises(FetchError, match="can not be written"):
        fetch(url, destination=target)
    fetch(url)
    assert (tmp_path / "file").read_bytes() == DATA
    assert len(hub.gets("stories.txt")) == 1


@pytest.mark.parametrize("length", [299_999, 300_001])
def test_a_lie_about_the_length_is_noticed(hub: HubServer, fetch: Fetch, tmp_path: Path, length: int) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", Fault(stated_length=length))
    assert fetch(url).sha256 == DIGEST
    assert (tmp_path / "file").read_bytes() == DATA


def test_a_redirect_to_another_host_is_followed(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    target = hub.add("real", DATA).replace("127.0.0.1", "localhost")
    url = hub.add_redirect("short", target)
    assert fetch(url).origin.url == url
    assert (tmp_path / "file").read_bytes() == DATA


def test_content_encoding_is_left_alone(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    packed = b"\x1f\x8b" + DATA
    fetch(hub.add("stories.tar.gz", packed, headers={"Content-Encoding": "gzip"}))
    assert (tmp_path / "file").read_bytes() == packed
    assert {request.headers["Accept-Encoding"] for request in hub.requests} == {"identity"}


def test_other_bytes_than_pinned_are_an_error_that_says_what_to_do(
    hub: HubServer, fetch: Fetch, tmp_path: Path
) -> None:
    url = hub.add("stories.txt", DATA)
    (tmp_path / "file").write_bytes(b"as it was")
    pinned = Pin(uri=url, url=url, size=len(DATA), sha256="0" * 64)
    with pytest.raises(VerifyError) as caught:
        fetch(url, pin=pinned)
    assert caught.value.message == (
        f"{url}: the fetched 300000 bytes have sha256 {DIGEST}, but tinystories.lock says {'0' * 64}"
    )
    assert "tsws apply --replace ADDRESS" in (caught.value.hint or "")
    assert (tmp_path / "file").read_bytes() == b"as it was"


def test_another_size_than_pinned_is_noticed_before_fetching(hub: HubServer, fetch: Fetch) -> None:
    url = hub.add("stories.txt", DATA)
    with pytest.raises(VerifyError, match=r"the server now has 300000 bytes, but .* says 5"):
        fetch(url, pin=Pin(uri=url, url=url, size=5, sha256=DIGEST))
    assert hub.bytes_sent("stories.txt") == 0


def test_other_bytes_than_the_manifest_expects_are_an_error(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    url = hub.add("stories.txt", DATA)
    with pytest.raises(VerifyError, match=f"have sha256 {DIGEST}, but the manifest says {'0' * 64}"):
        fetch(url, sha256="0" * 64)
    assert not (tmp_path / "file").exists()
    assert fetch(url, sha256=DIGEST).sha256 == DIGEST  # the wrong bytes are not built upon


def test_a_pinned_version_that_is_gone_says_what_to_do(hub: HubServer, fetch: Fetch) -> None:
    url = hub.add("new/stories.txt", DATA)
    with pytest.raises(
        FetchError, match=r"has changed, and the version that is pinned is not to be had: .* 404"
    ) as caught:
        fetch(url, pin=Pin(uri=url, url=f"{hub.url}/old/stories.txt", size=5, sha256="0" * 64))
    assert "tsws apply --replace ADDRESS" in (caught.value.hint or "")


def test_manifest_and_pin_that_disagree_are_noticed_before_fetching(hub: HubServer, fetch: Fetch) -> None:
    url = hub.add("stories.txt", DATA)
    with pytest.raises(
        VerifyError, match=f"the manifest expects sha256 {'0' * 64}, but tinystories.lock pins {DIGEST}"
    ):
        fetch(url, sha256="0" * 64, pin=Pin(uri=url, url=url, size=len(DATA), sha256=DIGEST))
    assert hub.requests == []


def test_stopping_keeps_what_was_received(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    url = hub.add("stories.txt", DATA)
    hub.fail("stories.txt", Fault(pause_after=100_000))
    seen: list[float] = []

    def stop() -> bool:
        return sum(seen) > 0

    with pytest.raises(InterruptedByUser, match="stopped while fetching"):
        fetch(url, stop=stop, progress=lambda done, total: seen.append(done))
    hub.resume()
    first = hub.bytes_sent("stories.txt")
    kept = next((tmp_path / "partial").glob("*.part")).stat().st_size
    assert 0 < kept <= first
    fetch(url)
    assert (tmp_path / "file").read_bytes() == DATA
    assert hub.gets("stories.txt")[1].headers["Range"] == f"bytes={kept}-"


def test_stopping_does_not_wait_for_the_next_attempt(hub: HubServer, fetch: Fetch) -> None:
    url = hub.add("stories.txt", status=503)
    asked = iter([False, True])
    with pytest.raises(InterruptedByUser, match="stopped while waiting"):
        fetch(url, stop=lambda: next(asked), backoff=lambda attempt: 3600.0)


def test_progress_is_sparse_and_ends_at_the_size(hub: HubServer, fetch: Fetch) -> None:
    heard: list[tuple[float, float | None]] = []
    fetch(hub.add("stories.txt", DATA), progress=lambda done, total: heard.append((done, total)))
    assert heard == sorted(heard)
    assert heard[-1] == (len(DATA), len(DATA))
    assert len(heard) < 20


def test_a_full_disk_is_named_before_it_is_full(hub: HubServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(transfer_module.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(FetchError, match=r"is full: 300 kB are missing, 1\.0 kB are free") as caught:
        fetch(hub.add("stories.txt", DATA))
    assert "make room" in (caught.value.hint or "")


def test_a_disk_that_fills_on_the_way_is_no_network_fault(
    hub: HubServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, chunk: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(partial_module.Partial, "write", full)
    with pytest.raises(FetchError, match="is full: No space left on device"):
        fetch(hub.add("stories.txt", DATA))
    assert len(hub.gets("stories.txt")) == 1


SMALL_DISK = """
import resource, sys
from pathlib import Path
from tsws.errors import FetchError
from tsws.fetch import download
from tsws_fetchers import HttpFetcher
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    download(sys.argv[1], Path(sys.argv[2]), fetcher=HttpFetcher(), partial=Path(sys.argv[3]))
except FetchError as error:
    print(error)
"""


def test_a_file_that_can_not_grow_is_a_clear_error(hub: HubServer, fetch: Fetch, tmp_path: Path, partial: Path) -> None:
    url = hub.add("stories.txt", DATA)
    arguments = [sys.executable, "-c", SMALL_DISK, url, tmp_path / "file", partial]
    answer = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert answer.stdout.endswith(".part can not be written: File too large\n")
    assert answer.stderr == ""
    fetch(url)
    assert (tmp_path / "file").read_bytes() == DATA
    assert hub.bytes_sent("stories.txt") < 2 * len(DATA)  # what was written before counts


def test_a_folder_that_can_not_be_made_is_named(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / "partial").write_bytes(b"in the way")
    with pytest.raises(FetchError, match="partial can not be written"):
        fetch(hub.add("stories.txt", DATA))


def test_two_who_want_the_same_take_turns(hub: HubServer, fetch: Fetch, tmp_path: Path) -> None:
    url = hub.add("stories.txt", DATA)
    threads = [threading.Thread(target=fetch, args=(url,), kwargs={"destination": tmp_path / name}) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == DATA
    assert hub.bytes_sent("stories.txt") == 2 * len(DATA)


def test_nobody_there_is_a_clear_error(fetch: Fetch) -> None:
    with pytest.raises(FetchError, match=r"could not be fetched: .*refused.*\(2 attempts\)"):
        fetch("http://127.0.0.1:1/stories.txt", attempts=2)
