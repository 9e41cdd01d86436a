from __future__ import annotations

import ctypes
import subprocess

import pytest

from tsws.engine import amalgamate, native_folder
from tsws.engine.shared import native_library, shared_library
from tsws.errors import BuildError

ANSWER = b'__attribute__((visibility("default"))) int answer(void) { return ANSWER; }\nint hidden(void) { return 1; }\n'


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TSWS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def answer(path):
    return ctypes.CDLL(str(path)).answer()


def test_a_library_is_compiled_once(cache):
    first = shared_library("answer", ANSWER, flags=["-DANSWER=7"])
    made = first.stat().st_mtime_ns
    assert answer(first) == 7
    assert shared_library("answer", ANSWER, flags=["-DANSWER=7"]) == first
    assert first.stat().st_mtime_ns == made
    assert [path.relative_to(cache).parts[0] for path in cache.rglob("answer.so")] == ["native"]
    assert sorted(path.name for path in first.parent.iterdir()) == ["answer.so"]


def test_another_source_other_flags_and_another_compiler_are_another_library(cache, script, monkeypatch):
    paths = [
        shared_library("answer", ANSWER, flags=["-DANSWER=7"]),
        shared_library("answer", ANSWER, flags=["-DANSWER=8"]),
        shared_library("answer", ANSWER + b"/* another */\n", flags=["-DANSWER=7"]),
    ]
    compiler = (
        'if "--version" in sys.argv:\n    print("another 1.0")\nelse:\n    os.execvp("cc", ["cc", *sys.argv[1:]])\n'
    )
    monkeypatch.setenv("CC", str(script("another", compiler)))
    paths.append(shared_library("answer", ANSWER, flags=["-DANSWER=7"]))
    assert len(set(paths)) == 4
    assert [answer(path) for path in paths] == [7, 8, 7, 7]


def test_only_what_is_marked_is_shown(cache):
    path = shared_library("answer", ANSWER, flags=["-DANSWER=7"])
    said = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1] for line in said.splitlines()}
    assert "answer" in names
    assert "hidden" not in names


def test_a_mistake_leaves_nothing_behind(cache):
    with pytest.raises(BuildError) as caught:
        shared_library("answer", ANSWER)
    assert "ANSWER" in caught.value.message
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_a_cache_that_can_not_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TSWS_CACHE", str(tmp_path / "file"))
    with pytest.raises(BuildError) as caught:
        shared_library("answer", ANSWER, flags=["-DANSWER=7"])
    assert caught.value.message.startswith(f"{tmp_path}/file/native/")
    assert caught.value.message.endswith("answer.so can not be written: Not a directory")
    assert caught.value.hint == "make room, or name another folder: TSWS_CACHE=FOLDER"


def test_windows_is_told_what_is_missing(cache, monkeypatch):
    monkeypatch.setattr("tsws.engine.shared.sys.platform", "win32")
    with pytest.raises(BuildError) as caught:
        native_library()
    assert caught.value.message == "libtsws can not be compiled on Windows: it needs POSIX (mmap, threads)"
    assert "WSL" in (caught.value.hint or "")


def test_the_native_library_is_that_of_the_source(monkeypatch):
    library = native_library()
    assert library == shared_library("libtsws", amalgamate(native_folder(), program=False))
