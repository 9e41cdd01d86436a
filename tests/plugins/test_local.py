"""The local backend passes the suite that strangers' backends pass, and keeps its own promises."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tsws.errors import JobError
from tsws.job import Handle, Job, JobStatus, Log, Progress, Started, decode_job
from tsws.plugin import NoOptions, Volume
from tsws.testing import BackendConformance
from tsws_folder import FolderOptions, FolderVolume
from tsws_local import LocalBackend


class ScriptedBackend(LocalBackend):
    """Starts the worker of the conformance suite."""

    worker = ("-m", "tsws.testing.worker")


class TestLocal(BackendConformance):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> LocalBackend:
        return ScriptedBackend("local", NoOptions(), tmp_path)


class TestLocalInAVolume(BackendConformance):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> LocalBackend:
        return ScriptedBackend("here", NoOptions(), tmp_path)

    @pytest.fixture
    def volume(self, tmp_path: Path) -> FolderVolume:
        return FolderVolume("attic", FolderOptions(path="attic"), tmp_path)


@pytest.fixture
def backend(tmp_path: Path) -> LocalBackend:
    return ScriptedBackend("local", NoOptions(), tmp_path)


def job(**fields: Any) -> Job:
    settings: dict[str, Any] = {
        "id": "one",
        "address": "run.a",
        "targets": ("run.a",),
        "fingerprint": "",
        "manifest": {"script": [["say", 1]]},
        **fields,
    }
    return Job(**settings)


def worked_in(backend: LocalBackend, handle: Handle) -> list[str]:
    """Where the scripted worker says that it works."""
    return [event.label for event in backend.attach(handle) if isinstance(event, Progress)]


def test_the_worker_works_in_the_workspace(backend: LocalBackend, tmp_path: Path) -> None:
    handle = backend.launch(job(root=str(tmp_path)), None)
    assert worked_in(backend, handle) == [str(tmp_path.resolve())]
    assert decode_job((tmp_path / ".tsws/jobs/one/job.json").read_bytes()) == job(root=str(tmp_path))


def test_the_worker_works_in_a_volume_that_lies_here(backend: LocalBackend, tmp_path: Path) -> None:
    volume = FolderVolume("attic", FolderOptions(path="attic"), tmp_path)
    handle = backend.launch(job(), volume)
    assert worked_in(backend, handle) == [str((tmp_path / "attic").resolve())]


class FarVolume(FolderVolume):
    """A volume that no program here can open as a folder."""

    def local_path(self) -> None:  # type: ignore[override]
        return None


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        (None, "^run.a: the job names neither a folder nor a volume to work in$"),
        (
            FarVolume("far", FolderOptions(path="far"), Path()),
            "^run.a: volume far does not lie on this machine, and the local backend works only here$",
        ),
        (
            FolderVolume("attic", FolderOptions(path="/no/such/disk/attic"), Path()),
            "^run.a: volume attic can not be worked in: /no/such/disk/attic: No such file or directory$",
        ),
    ],
)
def test_a_job_without_a_place_here_is_refused(backend: LocalBackend, volume: Volume | None, message: str) -> None:
    with pytest.raises(JobError, match=message) as caught:
        backend.launch(job(), volume)
    assert caught.value.hint


def test_a_python_that_is_gone_is_named(backend: LocalBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(JobError, match=r"^run\.a: the worker could not be started: .*/no/such/python"):
        backend.launch(job(root=str(tmp_path)), None)


def test_a_manifest_has_no_say_in_which_program_runs() -> None:
    assert LocalBackend.Options is NoOptions


def test_nobody_else_can_read_a_job(backend: LocalBackend, tmp_path: Path) -> None:
    list(backend.attach(backend.launch(job(root=str(tmp_path)), None)))
    assert (tmp_path / ".tsws/jobs/one/job.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["../../elsewhere", "/elsewhere", "..", ".", "", "a/b", "a\\b", "a\0b"])
def test_a_handle_leads_to_no_other_folder(backend: LocalBackend, tmp_path: Path, name: str) -> None:
    handle = Handle(backend="local", job=name, data={"pid": os.getpid(), "started": 0.0})
    message = f"^{re.escape(repr(name))} is not the name of a job$"
    with pytest.raises(JobError, match=message):
        backend.status(handle)
    with pytest.raises(JobError, match=message):
        next(backend.attach(handle))
    with pytest.raises(JobError, match=message):
        backend.last_words(handle)
    with pytest.raises(JobError, match=message):
        backend.launch(job(id=name, root=str(tmp_path)), None)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_nobody_noted_down_is_not_started_again(backend: LocalBackend, tmp_path: Path) -> None:
    first = backend.launch(job(root=str(tmp_path)), None)
    events = list(backend.attach(first))
    folder = backend.base / ".tsws" / "jobs" / first.job
    (folder / "worker.json").unlink()  # the client died in the moment before it was written
    again = backend.launch(job(root=str(tmp_path)), None)
    assert list(backend.attach(again)) == events


def test_modules_in_the_workspace_are_not_imported(backend: LocalBackend, tmp_path: Path) -> None:
    (tmp_path / "signal.py").write_text("raise SystemExit('code from data')")
    handle = backend.launch(job(root=str(tmp_path)), None)
    list(backend.attach(handle))
    assert (backend.status(handle), backend.last_words(handle)) == (JobStatus.DONE, "")


def test_the_last_words_are_the_end_of_the_log(backend: LocalBackend, tmp_path: Path) -> None:
    lines = [f"line {number:05}" for number in range(1000)]
    handle = backend.launch(
        job(root=str(tmp_path), manifest={"script": [["print", "\n".join(lines)], ["die", None]]}), None
    )
    assert [type(event) for event in backend.attach(handle)] == [Started]
    words = backend.last_words(handle).splitlines()
    assert words == lines[-len(words) :]
    assert 100 < len(words) < 1000


def test_a_job_that_never_was_is_gone(backend: LocalBackend) -> None:
    handle = Handle(backend="local", job="never", data={"pid": os.getpid(), "started": 0.0})
    assert backend.status(handle) is JobStatus.GONE
    assert list(backend.attach(handle)) == []
    assert backend.last_words(handle) == ""
    backend.cancel(handle)


def test_a_killed_worker_ends_the_stream_of_those_who_follow(backend: LocalBackend, tmp_path: Path) -> None:
    handle = backend.launch(job(root=str(tmp_path), manifest={"script": [["say", 1], ["hold", None]]}), None)
    following = backend.attach(handle)
    assert [type(next(following)) for _ in range(2)] == [Started, Progress]
    os.kill(handle.data["pid"], signal.SIGKILL)
    assert list(following) == []
    assert backend.status(handle) is JobStatus.GONE


def test_an_event_of_a_newer_version_keeps_its_position(backend: LocalBackend, tmp_path: Path) -> None:
    handle = backend.launch(job(root=str(tmp_path)), None)
    events = list(backend.attach(handle))
    path = tmp_path / ".tsws/jobs/one/events.jsonl"
    first, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([first, b'{"event":"telepathy","address":"run.a"}\n', *rest]))
    again = list(backend.attach(handle))
    assert (again[0], again[2:]) == (events[0], events[1:])
    assert isinstance(again[1], Log)
    assert (again[1].address, again[1].level) == ("run.a", "warning")
    assert list(backend.attach(handle, 2)) == events[1:]


@pytest.fixture
def from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    yield


@pytest.mark.usefixtures("from_elsewhere")
def test_a_relative_base_is_no_trap_for_a_worker_that_works_elsewhere(tmp_path: Path) -> None:
    backend = ScriptedBackend("local", NoOptions(), Path(".."))
    handle = backend.launch(job(root=str(tmp_path)), None)
    assert worked_in(backend, handle) == [str(tmp_path.resolve())]
    assert msgspec.json.decode(msgspec.json.encode(handle), type=Handle) == handle
