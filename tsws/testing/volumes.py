"""The conformance suite for volumes."""

from __future__ import annotations

import hashlib
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tsws.errors import TswsError
from tsws.plugin import Volume

MEGABYTE = 1 << 20


class MakerError(Exception):
    """What the maker of some chunks raises half-way; no volume can know it."""


class VolumeConformance:
    """Does a volume keep the promises of :class:`tsws.plugin.Volume`?

    Subclass it and give it a volume that is empty and new for every test:

    >>> class TestAttic(VolumeConformance):
    ...     @pytest.fixture
    ...     def volume(self, tmp_path):
    ...         return Attic("attic", AtticOptions(path="files"), tmp_path)
    """

    @pytest.fixture
    def volume(self) -> Volume:
        """A volume that nobody has written to. Override this."""
        raise NotImplementedError("override the fixture `volume`")

    def test_a_new_volume_is_empty(self, volume: Volume) -> None:
        assert list(volume.list()) == []
        assert volume.stat("model.bin") is None
        volume.remove("model.bin")
        with pytest.raises(FileNotFoundError):
            content(volume, "model.bin")

    def test_what_was_written_is_there(self, volume: Volume) -> None:
        written = volume.write("out/model.bin", [b"wei", b"", b"ghts"])
        assert (written.path, written.size) == ("out/model.bin", 7)
        assert written.sha256 in (None, hashlib.sha256(b"weights").hexdigest())
        assert content(volume, "out/model.bin") == b"weights"
        stat = volume.stat("out/model.bin")
        assert stat is not None
        assert (stat.path, stat.size, stat.mtime) == ("out/model.bin", 7, written.mtime)
        assert [(found.path, found.size, found.mtime) for found in volume.list()] == [(stat.path, 7, stat.mtime)]

    def test_a_file_is_replaced_whole(self, volume: Volume) -> None:
        first = volume.write("a", [b"a long first version"])
        second = volume.write("a", [b"short"])
        assert content(volume, "a") == b"short"
        assert second.mtime >= first.mtime
        assert [found.path for found in volume.list()] == ["a"]

    @pytest.mark.parametrize("chunks", [[], [b""]])
    def test_a_file_can_be_empty(self, volume: Volume, chunks: list[bytes]) -> None:
        assert volume.write("empty", chunks).size == 0
        assert content(volume, "empty") == b""
        assert [found.path for found in volume.list()] == ["empty"]

    @pytest.mark.parametrize(
        "path", ["a b.txt", "größe/日本語 ✓.txt", ".hidden", "a/b/c/d/e", "#%&+=;'\"(1)", "CON.d", "-r", "~"]
    )
    def test_a_name_can_be_anything(self, volume: Volume, path: str) -> None:
        volume.write(path, [path.encode()])
        assert content(volume, path) == path.encode()
        assert [found.path for found in volume.list()] == [path]
        volume.remove(path)
        assert list(volume.list()) == []

    @pytest.mark.parametrize("path", ["../outside", "a/../../outside", "/outside", ""])
    def test_a_path_that_leads_out_is_refused(self, volume: Volume, path: str) -> None:
        with pytest.raises(TswsError):
            volume.write(path, [b"evil"])
        with pytest.raises(TswsError):
            content(volume, path)
        assert list(volume.list()) == []

    def test_a_list_is_sorted_and_its_prefix_is_the_beginning_of_a_path(self, volume: Volume) -> None:
        for path in ("b", "ab", "a/b", "a.txt", "a/a/a", "a-b"):
            volume.write(path, [b"x"])
        assert [found.path for found in volume.list()] == ["a-b", "a.txt", "a/a/a", "a/b", "ab", "b"]
        assert [found.path for found in volume.list("a/")] == ["a/a/a", "a/b"]
        assert [found.path for found in volume.list("a/a")] == ["a/a/a"]
        assert [found.path for found in volume.list("a")] == ["a-b", "a.txt", "a/a/a", "a/b", "ab"]
        assert list(volume.list("c")) == []

    def test_a_folder_is_no_file(self, volume: Volume) -> None:
        volume.write("a/b", [b"x"])
        assert volume.stat("a") is None
        with pytest.raises(FileNotFoundError):
            content(volume, "a")

    def test_a_removed_file_is_gone(self, volume: Volume) -> None:
        volume.write("a/b", [b"x"])
        volume.write("a/c", [b"y"])
        volume.remove("a/b")
        assert volume.stat("a/b") is None
        assert [found.path for found in volume.list()] == ["a/c"]
        volume.remove("a/b")

    def test_reading_begins_anywhere(self, volume: Volume) -> None:
        data = bytes(range(256)) * (3 * MEGABYTE // 256)
        volume.write("data", [data])
        for offset in (0, 1, MEGABYTE - 1, MEGABYTE, 2 * MEGABYTE + 3, len(data) - 1, len(data)):
            assert content(volume, "data", offset) == data[offset:]

    def test_a_write_that_fails_leaves_nothing(self, volume: Volume) -> None:
        with pytest.raises(MakerError):
            volume.write("a", broken(b"half"))
        assert volume.stat("a") is None
        assert list(volume.list()) == []

    def test_a_write_that_fails_leaves_the_old_file(self, volume: Volume) -> None:
        before = volume.write("a", [b"old"])
        with pytest.raises(MakerError):
            volume.write("a", broken(b"new" * MEGABYTE))
        assert content(volume, "a") == b"old"
        assert [(found.path, found.size, found.mtime) for found in volume.list()] == [("a", 3, before.mtime)]

    def test_nobody_sees_a_file_that_is_being_written(self, volume: Volume) -> None:
        volume.write("a", [b"old"])
        seen = []

        def chunks() -> Iterator[bytes]:
            yield b"n" * MEGABYTE
            seen.append((content(volume, "a"), [found.path for found in volume.list()]))
            yield b"w"

        volume.write("a", chunks())
        assert seen == [(b"old", ["a"])]
        assert content(volume, "a") == b"n" * MEGABYTE + b"w"

    def test_a_reader_sees_one_version_only(self, volume: Volume) -> None:
        volume.write("a", [b"o" * (8 * MEGABYTE)])
        reading = volume.read("a")
        seen = set(next(reading))
        volume.write("a", [b"n" * (8 * MEGABYTE)])
        for chunk in reading:
            seen |= set(chunk)
        assert seen == {ord("o")}

    def test_of_several_writers_one_wins(self, volume: Volume) -> None:
        versions = [bytes([number]) * MEGABYTE for number in range(4)]
        together = threading.Barrier(len(versions))

        def chunks(data: bytes) -> Iterator[bytes]:
            yield data[:1000]
            together.wait(timeout=60)
            yield data[1000:]

        with ThreadPoolExecutor(len(versions)) as pool:
            list(pool.map(lambda data: volume.write("a", chunks(data)), versions))
        assert content(volume, "a") in versions
        assert [found.path for found in volume.list()] == ["a"]

    def test_many_can_read_at_once(self, volume: Volume) -> None:
        data = bytes(range(251)) * 20000
        volume.write("data", [data])
        offsets = [number * 1000 for number in range(8)]
        with ThreadPoolExecutor(len(offsets)) as pool:
            read = list(pool.map(lambda offset: content(volume, "data", offset), offsets))
        assert read == [data[offset:] for offset in offsets]

    def test_a_large_file_is_streamed(self, volume: Volume) -> None:
        """48 MB go in and out, and never lie in memory as a whole."""
        size = 48
        digest = hashlib.sha256()
        tracemalloc.start()
        try:
            volume.write("large", (bytes([number]) * MEGABYTE for number in range(size)))
            for chunk in volume.read("large"):
                digest.update(chunk)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        expected = hashlib.sha256()
        for number in range(size):
            expected.update(bytes([number]) * MEGABYTE)
        assert digest.hexdigest() == expected.hexdigest()
        assert peak < size * MEGABYTE / 2

    def test_what_says_that_it_lies_here_does(self, volume: Volume) -> None:
        volume.write("a/b", [b"x"])
        folder = volume.local_path()
        if folder is not None:
            assert (folder / "a" / "b").read_bytes() == b"x"
            assert volume.is_near


def content(volume: Volume, path: str, offset: int = 0) -> bytes:
    """A whole file."""
    return b"".join(volume.read(path, offset))


def broken(data: bytes) -> Iterator[bytes]:
    """Some bytes, and then an error."""
    yield data
    raise MakerError
