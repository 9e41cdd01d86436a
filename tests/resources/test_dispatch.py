"""One job for one wanted thing: attached to, replaced, stopped, and its words brought home unchanged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tsws.errors import FormatError, InterruptedByUser, JobError
from tsws.job import Event, Failed, Handle, Job, JobStatus, Log, Metric, Progress, decode_job
from tsws.plugin import Backend, Plugins, Price, Volume, load_plugins
from tsws.resources.active_jobs import ActiveJob, active_job, keep_job
from tsws.resources.dispatch import Assignment, Dispatcher
from tsws.resources.following import Meter
from tsws_local import LocalBackend

SAY_AND_HOLD = [["say", 2], ["hold", None]]


class Scripted(LocalBackend):
    """Real processes that do what the manifest's script says."""

    name = "scripted"
    worker = ("-m", "tsws.testing.worker")


class Lasting(Scripted):
    """Its jobs go on without their client."""

    name = "lasting"
    outlives_client = True


class Elsewhere(Backend):
    """Does not understand anybody else's handles."""

    name = "elsewhere"

    def launch(self, job: Job, volume: Volume | None) -> Handle:
        raise JobError("nothing can be started elsewhere")

    def attach(self, handle: Handle, after: int = 0) -> Iterator[Event]:
        raise AssertionError(f"{handle} is not from here")

    def cancel(self, handle: Handle) -> None:
        raise AssertionError(f"{handle} is not from here")

    def status(self, handle: Handle) -> JobStatus:
        raise AssertionError(f"{handle} is not from here")


@dataclass
class Client:
    """Somebody who wants a thing made, from a thread of its own."""

    root: Path
    events: list[Event] = field(default_factory=list)
    backend: str = "scripted"
    stopped: threading.Event = field(default_factory=threading.Event)
    heard: threading.Condition = field(default_factory=threading.Condition)
    error: BaseException | None = None
    thread: threading.Thread | None = None

    def run(self, script: list[Any], *, fingerprint: str = "", again: tuple[str, ...] = ()) -> None:
        """Bring a job to its end."""
        assignment = Assignment("run.a", ("run.a",), self.backend, self.backend, {}, {"script": script}, None)
        dispatcher = Dispatcher(self.root, plugins(), dict)
        dispatcher.run(assignment, fingerprint=fingerprint, emit=self._hear, stop=self.stopped.is_set, replace=again)

    def start(self, script: list[Any], **options: Any) -> None:
        """The same in the background; :meth:`end` waits for it."""

        def work() -> None:
            try:
                self.run(script, **options)
            except BaseException as error:  # noqa: BLE001  for `end` to raise
                self.error = error

        self.thread = threading.Thread(target=work)
        self.thread.start()

    def end(self) -> None:
        """Wait for the end, and raise what it raised."""
        assert self.thread is not None
        self.thread.join(60)
        assert not self.thread.is_alive()
        if self.error is not None:
            raise self.error

    def wait(self, condition: Callable[[list[Event]], bool]) -> None:
        """Until enough was heard."""
        with self.heard:
            assert self.heard.wait_for(lambda: condition(self.events), 60)

    def _hear(self, event: Event) -> None:
        with self.heard:
            self.events.append(event)
            self.heard.notify_all()

    @property
    def said(self) -> list[float]:
        """The numbers that the worker counted."""
        return [event.done for event in self.events if isinstance(event, Progress)]


def plugins() -> Plugins:
    found = load_plugins()
    mine = {kind.name: kind for kind in (Scripted, Lasting, Elsewhere)}
    return replace(found, backends={**found.backends, **mine})


def active(root: Path) -> ActiveJob:
    found = active_job(root, "run.a")
    assert found is not None
    return found


def status(root: Path) -> JobStatus:
    """Of the last job, by its own backend."""
    return Scripted("scripted", Scripted.Options(), root).status(active(root).handle)


def jobs(root: Path) -> int:
    return len(list((root / ".tsws" / "jobs").glob("*/job.json")))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    made = Client(tmp_path)
    yield made
    for path in (tmp_path / ".tsws" / "jobs").glob("*.json"):  # whatever a failed test left running
        job = active_job(tmp_path, path.stem)
        if job is not None and job.intent is None:
            Scripted("scripted", Scripted.Options(), tmp_path).cancel(job.handle)


def heard_two(events: list[Event]) -> bool:
    return sum(isinstance(event, Progress) for event in events) == 2


def test_every_event_is_heard_once_and_the_end_is_noted(client: Client) -> None:
    client.run([["say", 3]])
    assert client.said == [1, 2, 3]
    assert [type(event) for event in client.events] == [Progress] * 3, "Started and Done are said by who applies"
    assert active(client.root).ended


def test_a_second_client_attaches_instead_of_launching(client: Client) -> None:
    client.start(SAY_AND_HOLD)
    client.wait(heard_two)
    second = Client(client.root)
    second.start(SAY_AND_HOLD)
    second.wait(heard_two)
    assert jobs(client.root) == 1
    assert second.said == [1, 2], "what was said before it came is told, once"
    second.stopped.set()
    for one in (client, second):
        with pytest.raises(InterruptedByUser, match=r"^asked to stop$"):
            one.end()


def test_a_job_that_ended_is_not_attached_to(client: Client) -> None:
    client.run([["say", 1]])
    client.run([["say", 1]])
    assert jobs(client.root) == 2


def test_the_end_of_a_job_that_nobody_has_heard_is_heard(client: Client) -> None:
    """Its client was killed, and it ended after the next one had made its plan."""
    client.run([["say", 3]])
    keep_job(client.root, msgspec.structs.replace(active(client.root), ended=False))
    second = Client(client.root)
    second.run([["say", 3]])
    assert jobs(client.root) == 1
    assert second.said == [1, 2, 3]
    assert active(client.root).ended


@pytest.mark.parametrize("change", [{"script": [["say", 1]]}, {"again": ("run.a",)}])
def test_a_job_that_is_no_longer_wanted_is_stopped_and_replaced(client: Client, change: dict[str, Any]) -> None:
    client.start(SAY_AND_HOLD)
    client.wait(heard_two)
    first = active(client.root).handle
    second = Client(client.root)
    second.start(**{"script": SAY_AND_HOLD, **change})
    with pytest.raises(InterruptedByUser):
        client.end()
    second.wait(lambda events: any(isinstance(event, Progress) for event in events))
    assert active(client.root).handle != first
    notes = [event.message for event in second.events if isinstance(event, Log)]
    assert notes == [f"stopping the job {first.job}, which is no longer wanted"]
    second.stopped.set()
    if "again" in change:
        with pytest.raises(InterruptedByUser):
            second.end()
    else:
        second.end()


def test_what_is_operational_does_not_stop_a_job_whose_fingerprint_is_known(client: Client) -> None:
    client.start(SAY_AND_HOLD, fingerprint="f")
    client.wait(heard_two)
    second = Client(client.root)
    second.start([["say", 7]], fingerprint="f")
    second.wait(heard_two)
    assert jobs(client.root) == 1
    second.stopped.set()
    for one in (client, second):
        with pytest.raises(InterruptedByUser):
            one.end()


def test_a_job_is_stopped_by_the_backend_that_runs_it(client: Client) -> None:
    client.start(SAY_AND_HOLD)
    client.wait(heard_two)
    second = Client(client.root, backend="elsewhere")
    with pytest.raises(JobError, match=r"^nothing can be started elsewhere$"):
        second.run(SAY_AND_HOLD)
    with pytest.raises(InterruptedByUser):
        client.end()


def test_a_failure_arrives_as_it_was_said(client: Client) -> None:
    with pytest.raises(JobError, match=r"^the loss is no number$") as raised:
        client.run([["say", 1], ["fail", "the loss is no number"]])
    assert raised.value.hint is None
    assert active(client.root).ended


def test_a_hint_arrives_as_it_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = Failed(address="run.a", message="too hot", hint="open a window")
    monkeypatch.setattr(Elsewhere, "launch", lambda self, job, volume: Handle(backend="elsewhere", job=job.id))
    monkeypatch.setattr(Elsewhere, "attach", lambda self, handle, after=0: iter([last]))
    with pytest.raises(JobError) as raised:
        Client(tmp_path, backend="elsewhere").run([])
    assert (raised.value.message, raised.value.hint) == ("too hot", "open a window")


def test_the_last_words_of_a_worker_that_vanished_are_shown(client: Client) -> None:
    with pytest.raises(JobError) as raised:
        client.run([["print", "out of memory"], ["die", None]])
    assert raised.value.message == "the worker of run.a died without a last word:\nout of memory"
    assert raised.value.hint == "`tsws apply` continues from the last checkpoint"
    assert active(client.root).ended


def test_a_worker_that_is_stopped_before_it_can_speak_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def attach(self: Backend, handle: Handle, after: int = 0) -> Iterator[Event]:
        assert ended.wait(60)
        return
        yield

    monkeypatch.setattr(Elsewhere, "launch", lambda self, job, volume: Handle(backend="elsewhere", job=job.id))
    monkeypatch.setattr(Elsewhere, "attach", attach)
    monkeypatch.setattr(Elsewhere, "cancel", lambda self, handle: ended.set())
    client = Client(tmp_path, backend="elsewhere")
    client.stopped.set()
    with pytest.raises(InterruptedByUser) as raised:
        client.run([])
    assert (raised.value.message, raised.value.hint) == ("run.a: stopped on request", "`tsws apply` continues")


def test_a_backend_that_outlives_its_client_lets_the_job_go_on(tmp_path: Path) -> None:
    client = Client(tmp_path, backend="lasting")
    client.start(SAY_AND_HOLD)
    client.wait(heard_two)
    client.stopped.set()
    with pytest.raises(InterruptedByUser) as raised:
        client.end()
    assert raised.value.message == "run.a goes on without this client"
    assert raised.value.hint == "`tsws apply` or `tsws logs -f` comes back to it, `tsws cancel run.a` stops it"
    assert status(tmp_path) is JobStatus.RUNNING
    assert not active(tmp_path).ended
    Scripted("scripted", Scripted.Options(), tmp_path).cancel(active(tmp_path).handle)


def test_a_damaged_record_of_a_job_is_named(client: Client) -> None:
    path = client.root / ".tsws" / "jobs" / "run.a.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"address": "run.a"')
    with pytest.raises(FormatError, match=r"run\.a\.json is damaged") as raised:
        client.run([["say", 1]])
    assert raised.value.hint == "remove the file once no worker runs"
    path.unlink()


def test_a_record_of_an_older_version_is_understood(tmp_path: Path) -> None:
    path = tmp_path / ".tsws" / "jobs" / "run.a.json"
    path.parent.mkdir(parents=True)
    handle = {"backend": "local", "job": "one", "data": {"pid": 1, "started": -1.0}}
    path.write_bytes(msgspec.json.encode({"address": "run.a", "handle": handle, "wanted": "w", "launched_at": 0.0}))
    assert active(tmp_path).kind is None
    Client(tmp_path).run([["say", 1]])
    assert active(tmp_path).kind == "scripted"


def test_a_client_that_died_while_it_launched_leaves_the_job_to_the_next(client: Client) -> None:
    """What is written down before a launch is launched again by whoever comes next, under the same name."""
    client.start(SAY_AND_HOLD)
    client.wait(heard_two)
    before = active(client.root)
    folder = client.root / ".tsws" / "jobs" / before.handle.job
    job = decode_job((folder / "job.json").read_bytes())
    keep_job(
        client.root, msgspec.structs.replace(before, intent=job, handle=msgspec.structs.replace(before.handle, data={}))
    )
    second = Client(client.root)
    second.start(SAY_AND_HOLD)
    second.wait(heard_two)
    assert jobs(client.root) == 1
    assert active(client.root) == before
    second.stopped.set()
    for one in (client, second):
        with pytest.raises(InterruptedByUser):
            one.end()


def test_a_launch_that_failed_is_tried_again_as_it_is_wanted_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[Job] = []

    def launch(self: Backend, job: Job, volume: Volume | None) -> Handle:
        launched.append(job)
        raise JobError("there is no machine")

    monkeypatch.setattr(Elsewhere, "launch", launch)
    client = Client(tmp_path, backend="elsewhere")
    for _ in range(2):
        with pytest.raises(JobError, match=r"^there is no machine$"):
            client.run([])
    assert len({job.id for job in launched}) == 1
    with pytest.raises(JobError):
        client.run([["say", 1]])
    assert len({job.id for job in launched}) == 2, "something else is another job"


class Priced(LocalBackend):
    """Costs a dollar a second."""

    def price(self) -> Price:
        return Price(dollars_per_hour=3600.0, source="a test")


def test_numbers_of_a_job_with_a_price_say_what_it_has_cost_since_its_first_word(tmp_path: Path) -> None:
    started = Log(address="run.a", time=100.0, message="begun")
    metric = Metric(address="run.a", time=102.5, step=1, total=2, values={"train_loss": 1.0})
    priced, free = (Meter(backend("it", backend.Options(), tmp_path)) for backend in (Priced, LocalBackend))
    assert [priced.read(event) for event in (started, metric)] == [
        started,
        msgspec.structs.replace(metric, values={"train_loss": 1.0, "dollars": 2.5}),
    ]
    assert free.read(metric) is metric
