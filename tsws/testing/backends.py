"""The conformance suite for backends."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tsws.job import Done, Event, Failed, Handle, Job, JobStatus, Progress, Started, VolumeRef
from tsws.plugin import Backend, Volume
from tsws.testing.client import attach_elsewhere, launch_and_die

ADDRESS = "run.conformance"
Script = tuple[str, Any]
MakeJob = Callable[..., Job]


class BackendConformance:
    """Does a backend keep the promises of :class:`tsws.plugin.Backend`?

    Subclass it and give it a backend that is new for every test and starts ``python -m tsws.testing.worker`` where it
    would start ``python -m tsws.worker``: the suite tells that worker what to say, when to stop and when to
    die. Other processes make the backend again from its class, its options and its base.

    >>> class NiceInTests(NiceBackend):
    ...     worker = "tsws.testing.worker"
    >>> class TestNice(BackendConformance):
    ...     @pytest.fixture
    ...     def backend(self, tmp_path):
    ...         return NiceInTests("nice", NiceOptions(), tmp_path)
    """

    @pytest.fixture
    def backend(self) -> Backend:
        """The backend. Override this."""
        raise NotImplementedError("override the fixture `backend`")

    @pytest.fixture
    def volume(self) -> Volume | None:
        """The volume to work in. Override this when the backend can not work in place."""
        return None

    @pytest.fixture
    def job_options(self) -> dict[str, Any]:
        """``Job.options``: override this when the backend's table has keys that it needs."""
        return {}

    @pytest.fixture
    def make_job(self, volume: Volume | None, job_options: dict[str, Any], tmp_path: Path) -> MakeJob:
        """Makes a job whose worker follows a script (see ``tsws/testing/worker.py``)."""
        ids = itertools.count()
        root = tmp_path / "workspace"
        root.mkdir(exist_ok=True)
        ref = None
        if volume is not None:
            ref = VolumeRef(name=volume.name, kind=volume.kind, options=msgspec.to_builtins(volume.options))

        def make(*script: Script) -> Job:
            return Job(
                id=f"{next(ids):03}-{secrets.token_hex(4)}",
                address=ADDRESS,
                targets=(ADDRESS,),
                fingerprint="",
                manifest={"script": [list(step) for step in script]},
                root=str(root) if volume is None else None,
                volume=ref,
                options=job_options,
            )

        return make

    def test_a_job_is_followed_to_its_end(self, backend: Backend, volume: Volume | None, make_job: MakeJob) -> None:
        handle = backend.launch(make_job(("say", 3)), volume)
        events = list(backend.attach(handle))
        assert kinds(events) == [Started, Progress, Progress, Progress, Done]
        assert progress(events) == [1, 2, 3]
        assert backend.status(handle) is JobStatus.DONE

    def test_a_failure_is_the_last_word(self, backend: Backend, volume: Volume | None, make_job: MakeJob) -> None:
        handle = backend.launch(make_job(("fail", "the loss is not a number")), volume)
        *_, last = backend.attach(handle)
        assert isinstance(last, Failed)
        assert (last.address, last.message, last.interrupted) == (ADDRESS, "the loss is not a number", False)
        assert backend.status(handle) is JobStatus.FAILED

    def test_the_events_can_be_had_again_from_any_position(
        self, backend: Backend, volume: Volume | None, make_job: MakeJob
    ) -> None:
        handle = backend.launch(make_job(("say", 3)), volume)
        events = list(backend.attach(handle))
        for position in range(len(events) + 1):
            assert list(backend.attach(handle, position)) == events[position:]

    def test_a_long_stream_comes_whole_and_in_order(
        self, backend: Backend, volume: Volume | None, make_job: MakeJob
    ) -> None:
        handle = backend.launch(make_job(("say", 2000)), volume)
        assert progress(list(backend.attach(handle))) == list(range(1, 2001))

    def test_events_come_while_the_job_runs_and_cancel_ends_it(
        self, backend: Backend, volume: Volume | None, make_job: MakeJob
    ) -> None:
        handle = backend.launch(make_job(("say", 2), ("hold", None)), volume)
        following = backend.attach(handle)
        assert kinds([next(following) for _ in range(3)]) == [Started, Progress, Progress]
        assert backend.status(handle) is JobStatus.RUNNING
        later = backend.attach(handle, 2)
        assert progress([next(later)]) == [2]
        backend.cancel(handle)
        assert backend.status(handle) is JobStatus.FAILED
        (last,) = following
        assert isinstance(last, Failed)
        assert last.interrupted
        assert list(later) == [last]

    def test_cancelling_what_has_ended_is_no_error(
        self, backend: Backend, volume: Volume | None, make_job: MakeJob
    ) -> None:
        handle = backend.launch(make_job(), volume)
        assert kinds(list(backend.attach(handle))) == [Started, Done]
        backend.cancel(handle)
        backend.cancel(handle)
        assert backend.status(handle) is JobStatus.DONE

    @pytest.mark.parametrize("end", ["die", "tear"])
    def test_a_worker_that_dies_is_gone(
        self, backend: Backend, volume: Volume | None, make_job: MakeJob, end: str
    ) -> None:
        handle = backend.launch(make_job(("say", 1), ("print", "out of memory"), (end, None)), volume)
        assert kinds(list(backend.attach(handle))) == [Started, Progress]
        assert backend.status(handle) is JobStatus.GONE
        assert backend.last_words(handle) in ("", "out of memory")
        assert list(backend.attach(handle, 2)) == []
        backend.cancel(handle)

    def test_a_handle_is_plain_data(self, backend: Backend, volume: Volume | None, make_job: MakeJob) -> None:
        job = make_job(("say", 1))
        handle = backend.launch(job, volume)
        assert (handle.backend, handle.job) == (backend.table, job.id)
        again = msgspec.json.decode(msgspec.json.encode(handle), type=Handle)
        assert again == handle
        assert kinds(list(backend.attach(again))) == [Started, Progress, Done]

    def test_jobs_do_not_mix(self, backend: Backend, volume: Volume | None, make_job: MakeJob) -> None:
        counts = [1, 5, 3]
        handles = [backend.launch(make_job(("say", count)), volume) for count in counts]
        told = [progress(list(backend.attach(handle))) for handle in handles]
        assert told == [list(range(1, count + 1)) for count in counts]

    def test_launching_a_job_again_starts_nothing_twice(
        self, backend: Backend, volume: Volume | None, make_job: MakeJob
    ) -> None:
        job = make_job(("say", 2), ("hold", None))
        first = backend.launch(job, volume)
        following = backend.attach(first)
        assert kinds([next(following) for _ in range(3)]) == [Started, Progress, Progress]
        again = backend.launch(job, volume)
        assert backend.status(again) is JobStatus.RUNNING
        backend.cancel(again)
        (last,) = following
        assert isinstance(last, Failed)
        after = backend.launch(job, volume)
        assert kinds(list(backend.attach(after))) == [Started, Progress, Progress, Failed], "one worker said it all"

    def test_a_job_in_a_shared_volume_is_found_by_others(
        self, backend: Backend, volume: Volume | None, make_job: MakeJob
    ) -> None:
        """A backend whose volumes are only its own machine's knows of no jobs there; one that does knows them all."""
        if volume is None:
            pytest.skip("it works in place")
        job = make_job(("say", 1), ("hold", None))
        handle = backend.launch(job, volume)
        found = [one for one in backend.running(volume) if one.job == job]
        for one in found:
            assert next(iter(backend.attach(one.handle))).address == ADDRESS
            backend.cancel(one.handle)
        backend.cancel(handle)
        assert [one for one in backend.running(volume) if one.job == job] == []

    def test_another_process_can_follow(
        self, backend: Backend, volume: Volume | None, make_job: MakeJob, tmp_path: Path
    ) -> None:
        handle = backend.launch(make_job(("say", 3)), volume)
        elsewhere = attach_elsewhere(backend, handle, 2, tmp_path)
        assert progress(elsewhere) == [2, 3]
        assert elsewhere == list(backend.attach(handle, 2))

    def test_a_job_outlives_a_client_that_is_killed(
        self, backend: Backend, volume: Volume | None, make_job: MakeJob, tmp_path: Path
    ) -> None:
        handle = launch_and_die(backend, volume, make_job(("say", 2), ("hold", None)), tmp_path)
        following = backend.attach(handle)
        assert kinds([next(following) for _ in range(3)]) == [Started, Progress, Progress]
        assert backend.status(handle) is JobStatus.RUNNING
        backend.cancel(handle)
        assert kinds(list(following)) == [Failed]


def kinds(events: list[Event]) -> list[type[Event]]:
    """What sort of event each is."""
    return [type(event) for event in events]


def progress(events: list[Event]) -> list[float]:
    """The counts of the progress events."""
    return [event.done for event in events if isinstance(event, Progress)]
