"""Archives come out whole, or not at all; and nothing in them reaches outside."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsws.errors import FormatError
from tsws.io.archives import is_archive, unpack

FILES = {"data00.bin": b"\x01\x00" * 5000, "deep/er/data01.bin": b"", "ä.txt": b"Once upon a time"}


def tar_bytes(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    info.mode = mode
    return info


def zip_bytes(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def archive(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def make(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return make


def by_name(value: object) -> str | None:
    """A parameter's part of a test's name; archives hold the time and would change it."""
    return value if isinstance(value, str) else "data"


TARRED = tar_bytes(*((member(name), data) for name, data in FILES.items()))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.tar", TARRED),
        ("x.tar.gz", gzip.compress(TARRED)),
        ("x.TGZ", gzip.compress(TARRED)),
        ("x.tar.xz", lzma.compress(TARRED)),
        ("x.tar.bz2", bz2.compress(TARRED)),
        ("x.zip", zip_bytes(FILES)),
    ],
    ids=by_name,
)
def test_every_format_gives_the_same_files(
    tmp_path: Path, archive: Callable[[str, bytes], Path], name: str, data: bytes
) -> None:
    path = archive(name, data)
    folder = tmp_path / "new" / "out"
    assert is_archive(name)
    assert unpack(path, folder) == sorted(folder / name for name in FILES)
    assert contents(folder) == FILES
    assert names(folder.parent) == ["out"]


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.txt.gz", gzip.compress(b"x")), ("a.txt.xz", lzma.compress(b"x")), ("a.txt.bz2", bz2.compress(b"x"))],
    ids=by_name,
)
def test_a_compressed_file_loses_its_ending(
    tmp_path: Path, archive: Callable[[str, bytes], Path], name: str, data: bytes
) -> None:
    assert unpack(archive(name, data), tmp_path / "out") == [tmp_path / "out" / "a.txt"]
    assert contents(tmp_path / "out") == {"a.txt": b"x"}


@pytest.mark.parametrize("name", ["a.txt", "a.bin", "tar", "gz", "model", "a.gz.part"])
def test_other_names_are_no_archives(tmp_path: Path, archive: Callable[[str, bytes], Path], name: str) -> None:
    assert not is_archive(name)
    with pytest.raises(FormatError, match="is no archive"):
        unpack(archive(name, b""), tmp_path / "out")


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python reads Zstandard")
def test_zstandard_says_which_python_reads_it(tmp_path: Path, archive: Callable[[str, bytes], Path]) -> None:
    with pytest.raises(FormatError, match="which this Python can not read") as caught:
        unpack(archive("x.tar.zst", b"x"), tmp_path / "out")
    assert "3.14" in (caught.value.hint or "")


HOSTILE = [
    ((member("../evil"), b"x"), "'../evil' would be written outside"),
    ((member("/tmp/evil"), b"x"), "'/tmp/evil' would be written outside"),
    ((member("a/../../evil"), b"x"), "'a/../../evil' would be written outside"),
    ((member("C:\\evil"), b"x"), "would be written outside"),
    ((member("pipe", tarfile.FIFOTYPE), b""), "'pipe' is no file and no folder"),
    ((member("device", tarfile.CHRTYPE), b""), "'device' is no file and no folder"),
    ((member("link", tarfile.SYMTYPE, "/etc/passwd"), b""), "'link' is a link to '/etc/passwd'"),
    ((member("link", tarfile.SYMTYPE, "../outside"), b""), "'link' is a link to '../outside'"),
    ((member("link", tarfile.LNKTYPE, "../outside"), b""), "'link' is a link to '../outside'"),
    ((member("link", tarfile.SYMTYPE, "."), b""), "'link' is a link to"),
    ((member("good.txt"), b"again"), "'good.txt' collides"),
    ((member("./good.txt"), b"again"), "collides"),
    ((member("good.txt/below"), b"x"), "'good.txt/below' collides"),
    ((member("n" * 300), b"x"), "has a name that this disk can not hold"),
]


@pytest.mark.parametrize(("bad", "fault"), HOSTILE, ids=by_name)
def test_a_hostile_tar_leaves_nothing(
    tmp_path: Path, archive: Callable[[str, bytes], Path], bad: tuple[tarfile.TarInfo, bytes], fault: str
) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    path = archive("x.tar", tar_bytes((member("good.txt"), b"good"), bad))
    before = contents(tmp_path)
    with pytest.raises(FormatError) as caught:
        unpack(path, tmp_path / "out")
    assert caught.value.message.startswith(f"{path}: the member ")
    assert fault in caught.value.message
    assert contents(tmp_path) == before


def zip_with(name: str, *, mode: int = 0, flags: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, b"x")
    data = bytearray(buffer.getvalue())
    data[data.index(b"PK\x01\x02") + 8] |= flags  # general purpose flags in the table of contents
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (zip_with("../evil"), "would be written outside"),
        (zip_with("/evil"), "would be written outside"),
        (zip_with("link", mode=0o120777), "but a link or a device"),
        (zip_with("secret", flags=1), "is encrypted"),
    ],
    ids=by_name,
)
def test_a_hostile_zip_leaves_nothing(
    tmp_path: Path, archive: Callable[[str, bytes], Path], data: bytes, fault: str
) -> None:
    path = archive("x.zip", data)
    with pytest.raises(FormatError, match=fault):
        unpack(path, tmp_path / "out")
    assert names(tmp_path) == ["x.zip"]


def test_a_link_inside_becomes_a_copy(tmp_path: Path, archive: Callable[[str, bytes], Path]) -> None:
    path = archive(
        "x.tar",
        tar_bytes(
            (member("a/real"), b"story"),
            (member("a/soft", tarfile.SYMTYPE, "real"), b""),
            (member("b/softer", tarfile.SYMTYPE, "../a/real"), b""),
            (member("hard", tarfile.LNKTYPE, "a/real"), b""),
        ),
    )
    unpack(path, tmp_path / "out")
    assert contents(tmp_path / "out") == dict.fromkeys(["a/real", "a/soft", "b/softer", "hard"], b"story")
    assert not any(
        path.is_symlink() or path.stat().st_nlink > 1 for path in (tmp_path / "out").rglob("*") if path.is_file()
    )


def test_special_modes_are_dropped(tmp_path: Path, archive: Callable[[str, bytes], Path]) -> None:
    [path] = unpack(archive("x.tar", tar_bytes((member("su", mode=0o6777), b"x"))), tmp_path / "out")
    assert path.stat().st_mode & 0o7111 == 0


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.tar.xz", "x.tar.bz2", "x.zip", "x.gz", "x.xz", "x.bz2"])
@pytest.mark.parametrize("part", [0, 0.3, 0.5])
def test_a_cut_archive_is_damaged(
    tmp_path: Path, archive: Callable[[str, bytes], Path], name: str, part: float
) -> None:
    payload = TARRED if ".tar" in name else b"story" * 1000
    whole = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress}.get(name.rpartition(".")[2], bytes)(payload)
    whole = zip_bytes(FILES) if name == "x.zip" else whole
    path = archive(name, whole[: int(len(whole) * part)])
    with pytest.raises(FormatError, match="is damaged or cut off"):
        unpack(path, tmp_path / "out")
    assert names(tmp_path) == [name]


def test_a_damaged_header_in_the_middle_is_no_quiet_end(tmp_path: Path, archive: Callable[[str, bytes], Path]) -> None:
    data = bytearray(tar_bytes((member("a"), b"a"), (member("b"), b"b")))
    data[1024] ^= 0xFF
    with pytest.raises(FormatError, match="is damaged or cut off: bad checksum"):
        unpack(archive("x.tar", bytes(data)), tmp_path / "out")


def test_a_wrong_check_sum_is_noticed(tmp_path: Path, archive: Callable[[str, bytes], Path]) -> None:
    data = bytearray(gzip.compress(TARRED))
    data[-6] ^= 0xFF
    with pytest.raises(FormatError, match="CRC check failed"):
        unpack(archive("x.tar.gz", bytes(data)), tmp_path / "out")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["x.tar", "x.tar.gz", "x.zip"]), data=st.data())
def test_any_damage_ends_in_files_or_a_clear_error(tmp_path: Path, name: str, data: st.DataObject) -> None:
    small = {"a": b"one", "b/c": b"two"}
    plain = tar_bytes(*((member(key), value) for key, value in small.items()))
    whole = bytearray({"x.tar": plain, "x.tar.gz": gzip.compress(plain, mtime=0), "x.zip": zip_bytes(small)}[name])
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, min(len(whole), 2600) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / name
    path.write_bytes(whole)
    out = tmp_path / "room" / "out"
    try:
        unpack(path, out)
    except FormatError:
        assert contents(out.parent) == {}
    else:
        assert all(file.startswith("out/") for file in contents(out.parent))
    subprocess.run(["rm", "-rf", out.parent], check=True)


def test_what_else_stands_in_the_folder_stays(tmp_path: Path, archive: Callable[[str, bytes], Path]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_bytes(b"mine")
    (out / "data00.bin").write_bytes(b"old")
    unpack(archive("x.tar", TARRED), out)
    assert contents(out) == {**FILES, "mine.txt": b"mine"}


@pytest.mark.parametrize("obstacle", ["data00.bin/", "deep"])
def test_something_in_the_way_is_named_and_nothing_written(
    tmp_path: Path, archive: Callable[[str, bytes], Path], obstacle: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    if obstacle.endswith("/"):
        (out / obstacle).mkdir()
    else:
        (out / obstacle).write_bytes(b"")
    before = contents(out)
    with pytest.raises(FormatError, match="something else stands at or above"):
        unpack(archive("x.tar", TARRED), out)
    assert contents(out) == before


def test_a_link_in_the_target_folder_is_not_followed_out(tmp_path: Path, archive: Callable[[str, bytes], Path]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (out / "deep").symlink_to(elsewhere)
    with pytest.raises(FormatError, match="through a symbolic link"):
        unpack(archive("x.tar", TARRED), out)
    assert contents(elsewhere) == {}


def test_progress_ends_at_the_size_of_the_archive(tmp_path: Path, archive: Callable[[str, bytes], Path]) -> None:
    heard: list[tuple[float, float | None]] = []
    path = archive("x.tar.gz", gzip.compress(TARRED))
    unpack(path, tmp_path / "out", progress=lambda done, total: heard.append((done, total)))
    assert heard == sorted(heard)
    assert heard[-1] == (path.stat().st_size, path.stat().st_size)


UNPACK_AND_DIE = """
import os, signal, sys
from pathlib import Path
from tsws.io.archives import unpack
unpack(Path(sys.argv[1]), Path(sys.argv[2]), progress=lambda done, total: done > 1 << 20 and os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_kill_in_the_middle_leaves_nothing_that_counts(tmp_path: Path, archive: Callable[[str, bytes], Path]) -> None:
    files = {f"data{index:02d}.bin": os.urandom(1 << 19) for index in range(6)}
    path = archive("x.tar", tar_bytes(*((member(name), data) for name, data in files.items())))
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", UNPACK_AND_DIE, path, out], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    unpack(path, out)
    assert contents(out) == files
    assert names(tmp_path) == ["out", "x.tar"]
