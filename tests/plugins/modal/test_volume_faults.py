"""What goes wrong with a Modal volume: what is said, and what is still there afterwards."""

from __future__ import annotations

import hashlib
import itertools
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.modal_plane.blobs import Blobs
from tests.modal_plane.environments import Environments
from tests.modal_plane.plane import Plane
from tests.modal_plane.stored_volumes import StoredVolume, Volumes
from tsws.errors import VolumeError
from tsws_modal import blocks, download
from tsws_modal.volume import ModalVolume, ModalVolumeOptions

MEGABYTE = 1 << 20
SIZE = 20 * MEGABYTE  # two blocks and a half
AGAIN = "run the same command again: it goes on from there"
_numbers = itertools.count()

Make = Callable[..., ModalVolume]


@pytest.fixture
def make(plane: Plane, tmp_path: Path) -> Make:
    """Makes volumes; without a name each is another one."""

    def make(name: str | None = None, **options: object) -> ModalVolume:
        return ModalVolume(name or f"faulty-{next(_numbers)}", ModalVolumeOptions(**options), tmp_path)  # type: ignore[arg-type]

    return make


@pytest.fixture
def data() -> bytes:
    """A file that the plane has not seen; the file store keeps what it was sent once."""
    return random.Random(next(_numbers)).randbytes(SIZE)


@pytest.fixture
def blobs(plane: Plane) -> Iterator[Blobs]:
    blobs = plane.state.part(Blobs)
    yield blobs
    blobs.up.mend()
    blobs.down.mend()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the client nor we try again for long."""
    from modal._utils import async_utils

    monkeypatch.setattr(async_utils, "RETRY_N_ATTEMPTS_OVERRIDE", 2)
    monkeypatch.setattr(download, "DELAYS", (0.01,))
    monkeypatch.setattr(blocks, "DELAYS", (0.01,))


def stored(plane: Plane, volume: ModalVolume, environment: str = "main") -> StoredVolume:
    """What the plane has of a volume."""
    found = plane.state.part(Volumes).named(volume.modal_name, environment)
    assert found is not None
    return found


def refusal(call: Callable[[], object]) -> tuple[str, str | None]:
    """The message and the hint of the error that a call ends with."""
    with pytest.raises(VolumeError) as caught:
        call()
    return caught.value.message, caught.value.hint


def test_looking_creates_nothing_and_writing_does(plane: Plane, make: Make) -> None:
    volume = make(name="late")
    assert not volume.exists()
    assert (list(volume.list()), volume.stat("a")) == ([], None)
    assert plane.state.part(Volumes).named("late") is None
    volume.write("a", [b"x"])
    assert volume.exists()
    assert stored(plane, volume).version == 2


def test_the_table_says_the_name_the_version_and_the_environment(plane: Plane, make: Make) -> None:
    plane.state.part(Environments).create("dev")
    volume = make(name="stories", version=1, environment="dev")
    named = ModalVolume("table", ModalVolumeOptions(name="stories", version=1, environment="dev"), volume.base)
    volume.write("a", [b"x"])
    assert stored(plane, volume, "dev").version == 1
    assert [found.path for found in named.list()] == ["a"]
    assert plane.state.part(Volumes).named("stories") is None


def test_another_version_is_refused(make: Make) -> None:
    make(name="old", version=1).write("a", [b"x"])
    found = refusal(lambda: list(make(name="old").list()))
    assert found == (
        "volume old: Modal has the volume old in version 1, and the manifest says version 2",
        "say `version = 1` in the volume's table, or give it another `name`",
    )
    assert refusal(lambda: make(name="old").write("a", [b"y"])) == found


def test_an_environment_that_is_not_there_is_no_empty_volume(make: Make) -> None:
    volume = make(name="stories", environment="nowhere")
    hint = "`modal environment list` shows those there are; `modal environment create NAME` makes one"
    expected = ("volume stories: Environment 'nowhere' not found in workspace 'plane'", hint)
    assert refusal(lambda: list(volume.list())) == expected
    assert refusal(lambda: volume.write("a", [b"x"])) == expected


def test_what_is_not_permitted_is_said(plane: Plane, make: Make) -> None:
    volume = make(name="forbidden")
    volume.write("a", [b"old"])
    plane.faults.permissions = frozenset({"ClientHello", "VolumeGetOrCreate", "VolumeListFiles2"})
    assert refusal(lambda: volume.write("a", [b"new"])) == (
        "volume forbidden: can not write a: Modal does not permit it: Token does not have permission to call VolumePutFiles2",
        "ask an owner of the workspace for the right, or use another `environment` or profile",
    )
    plane.faults.clear()
    assert b"".join(volume.read("a")) == b"old"


@pytest.mark.parametrize("version", [1, 2])
def test_a_full_volume_keeps_the_old_file(plane: Plane, make: Make, version: int) -> None:
    volume = make(name=f"full-{version}", version=version)
    volume.write("a", [b"old"])
    stored(plane, volume).capacity = 100
    assert refusal(lambda: volume.write("a", [b"x" * 101])) == (
        f"volume full-{version}: can not write a: Volume 'full-{version}' is full: no more than 100 bytes fit in it",
        "free some of it (`tsws clean --volume NAME` removes intermediates), then run the same command again",
    )
    assert b"".join(volume.read("a")) == b"old"


def test_a_service_that_is_down_for_good_is_named(plane: Plane, make: Make) -> None:
    volume = make(name="down")
    volume.write("a", [b"x"])
    plane.faults.fail("VolumeListFiles2", message="try later", times=None)
    message = "volume down: can not list a: Modal has a fault: try later"
    assert refusal(lambda: volume.stat("a")) == (message, f"wait a moment, then {AGAIN}")


def test_a_call_that_fails_once_is_no_failure(plane: Plane, make: Make) -> None:
    volume = make()
    for method in ("VolumeGetOrCreate", "VolumePutFiles2", "VolumeGetFile2", "VolumeRemoveFile2"):
        plane.faults.fail(method)
    volume.write("a", [b"x"])
    assert b"".join(volume.read("a")) == b"x"
    volume.remove("a")
    assert volume.stat("a") is None


@pytest.mark.parametrize("megabytes", [1, 11, 19])
def test_an_upload_that_is_cut_once_goes_through(blobs: Blobs, make: Make, megabytes: int, data: bytes) -> None:
    volume = make()
    before = blobs.up.bytes
    blobs.up.cut_at, blobs.up.cuts = before + megabytes * MEGABYTE, 1
    volume.write("large", [data])
    assert b"".join(volume.read("large")) == data
    assert blobs.up.cut_at is None, "it was cut"
    assert blobs.up.bytes - before - SIZE <= 8 * MEGABYTE, "one block was sent again"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("version", [1, 2])
def test_a_file_store_that_refuses_leaves_the_old_file(blobs: Blobs, make: Make, version: int, data: bytes) -> None:
    volume = make(name=f"refusing-{version}", version=version)
    volume.write("a", [b"old"])
    blobs.up.status = 500
    message, hint = refusal(lambda: volume.write("a", [data]))
    if version == 2:
        assert message == "volume refusing-2: can not write a: the connection to Modal broke: HTTP status 500"
    else:
        assert message.startswith(
            "volume refusing-1: can not write a: Modal's file store refuses: Put to url http://127.0.0.1:"
        )
        assert message.endswith("failed with status 500: the blob store was told to refuse")
    assert hint == AGAIN
    blobs.up.mend()
    assert b"".join(volume.read("a")) == b"old"
    assert not list((volume.base / ".tsws" / "tmp").iterdir()), "nothing is left here"


@pytest.mark.usefixtures("impatient")
def test_a_second_upload_sends_only_what_had_not_arrived(blobs: Blobs, make: Make, data: bytes) -> None:
    volume = make()
    blobs.up.cut_at = blobs.up.bytes + 17 * MEGABYTE
    with pytest.raises(VolumeError):
        volume.write("large", [data])
    kept = blobs.contents
    arrived = sum(kept.path(digest).stat().st_size for digest in digests(data) if digest in kept)
    assert 0 < arrived < SIZE
    assert volume.stat("large") is None
    blobs.up.mend()
    second = blobs.up.bytes
    volume.write("large", [data])
    assert b"".join(volume.read("large")) == data
    assert blobs.up.bytes - second == SIZE - arrived


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("version", [1, 2])
def test_a_download_that_is_cut_goes_on_where_it_broke(blobs: Blobs, make: Make, version: int, data: bytes) -> None:
    volume = make(name=f"cut-{version}", version=version)
    volume.write("large", [data])
    before = blobs.down.bytes
    blobs.down.cut_at = before + 18 * MEGABYTE
    received = bytearray()

    def receive() -> None:
        for chunk in volume.read("large", len(received)):
            received.extend(chunk)

    message, hint = refusal(receive)
    assert message.startswith(f"volume cut-{version}: can not read large: the connection to Modal broke: ")
    assert hint == AGAIN
    assert len(received) >= 8 * MEGABYTE  # the rest was on its way
    blobs.down.mend()
    receive()
    assert bytes(received) == data
    assert blobs.down.bytes - before <= SIZE + 2 * MEGABYTE


def test_a_damaged_block_is_fetched_again(
    blobs: Blobs, make: Make, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    volume = make()
    volume.write("large", [data])
    sound, damaged = download._is_sound, [True]

    def once_damaged(body: memoryview, header: str) -> bool:
        assert sound(body, header)
        assert not sound(memoryview(bytes(body)[:-1] + b"?"), header)
        return not damaged or not damaged.pop()

    monkeypatch.setattr(download, "_is_sound", once_damaged)
    assert b"".join(volume.read("large")) == data
    assert damaged == []


def test_a_client_without_ranges_reads_from_the_start(make: Make, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    def absent(*_: object) -> None:
        raise AttributeError("VolumeGetFile2")

    volume = make()
    volume.write("large", [data])
    monkeypatch.setattr(download, "locate", absent)
    assert b"".join(volume.read("large", 9 * MEGABYTE + 1)) == data[9 * MEGABYTE + 1 :]


def test_a_client_without_that_call_uploads_in_its_own_way(
    make: Make, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    def absent(*_: object) -> None:
        raise AttributeError("VolumePutFiles2")

    monkeypatch.setattr(blocks, "ask", absent)
    volume = make()
    volume.write("large", [data])
    assert b"".join(volume.read("large")) == data


def test_a_volume_that_was_removed_meanwhile_is_made_again(plane: Plane, make: Make) -> None:
    import modal

    volume = make(name="removed")
    volume.write("a", [b"x"])
    modal.Volume.objects.delete("removed")
    assert list(volume.list()) == []
    volume.write("b", [b"y"])
    assert [found.path for found in volume.list()] == ["b"]


def test_a_reader_that_stops_lets_go_of_the_line(blobs: Blobs, make: Make, data: bytes) -> None:
    volume = make()
    volume.write("large", [data])
    before = threading.active_count()
    reading = volume.read("large")
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert threading.active_count() <= before + 1


def digests(data: bytes) -> set[str]:
    """Of the blocks of some data."""
    blocks = [data[start : start + 8 * MEGABYTE] for start in range(0, len(data), 8 * MEGABYTE)]
    return {hashlib.sha256(block.rstrip(b"\0")).hexdigest() for block in blocks}
