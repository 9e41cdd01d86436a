"""The worker as backends start it: a process, a job, and a last word whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tsws.io.locks import resource_lock
from tsws.job import Done, Event, Failed, Job, Log, Progress, Started, decode_event, decode_job, encode_job, ignore
from tsws.reconcile.make import carry_out
from tsws.reconcile.observe import Observer
from tsws.text.toy_stories import story
from tsws.worker.speaking import Speaker
from tsws.workspace import Workspace

PATIENCE = 120.0
TEXT = {"dataset": {"mine": {"source": "stories.txt"}}}


def job(root: Path, manifest: dict[str, Any], target: str, **fields: Any) -> Path:
    """A job for one resource, as a file."""
    path = root / "job.json"
    made = Job(id="one", address=target, targets=(target,), fingerprint="", manifest=manifest, root=str(root), **fields)
    path.write_bytes(encode_job(made))
    return path


def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tsws.worker", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def work(*arguments: object, **options: Any) -> tuple[int, list[Event], str]:
    """Run to the end: exit status, events from standard output, standard error."""
    process = start(*arguments, **options)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, [decode_event(line) for line in out.splitlines()], err


def shown(events: list[Event]) -> list[tuple[str, str]]:
    return [(type(event).__name__, event.address) for event in events]


def test_a_job_ends_with_done_of_its_own_address(tmp_path: Path) -> None:
    (tmp_path / "stories.txt").write_text("One day.\n")
    status, events, err = work(job(tmp_path, TEXT, "dataset.mine"))
    assert (status, shown(events), err) == (0, [("Done", "dataset.mine")], "")
    assert (tmp_path / ".tsws/state/dataset.mine.json").exists()


def test_root_and_events_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "stories.txt").write_text("One day.\n")
    path = job(tmp_path, TEXT, "dataset.mine")
    status, events, _ = work(path, "--root", tmp_path / "there", "--events", tmp_path / "events.jsonl")
    assert (status, events) == (0, [])
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert shown([decode_event(line) for line in lines]) == [("Done", "dataset.mine")]
    assert (tmp_path / "there/.tsws/state/dataset.mine.json").exists()


@pytest.mark.parametrize(
    ("manifest", "target", "message", "hint"),
    [
        (
            TEXT,
            "dataset.mine",
            "dataset.mine: no file matches stories.txt",
            "put the file there, or correct `source` in the manifest",
        ),
        (TEXT, "dataset.mime", "there is no resource 'dataset.mime'", "did you mean dataset.mine?"),
        (
            {"dataset": {"mine": {"source": "builtin:toy-storeys"}}},
            "dataset.mine",
            'the manifest has a mistake:\n  dataset.mine.source: nothing called "toy-storeys" is built in;'
            " did you mean `toy-stories`?",
            None,
        ),
    ],
)
def test_a_failure_is_the_last_word(
    tmp_path: Path, manifest: dict[str, Any], target: str, message: str, hint: str | None
) -> None:
    status, events, err = work(job(tmp_path, manifest, target))
    (last,) = events
    assert isinstance(last, Failed)
    assert (status, err) == (1, "")
    assert (last.address, last.message, last.hint, last.interrupted) == (target, message, hint, False)


def test_a_crash_is_the_last_word_and_its_story_is_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "stories.txt").write_text("One day.\n")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tsws.resources.dataset import TextRule\n"
        "from tsws.worker.main import run\n"
        "def make(self, making): raise ZeroDivisionError('oh')\n"
        "TextRule.make = make\n"
        "sys.exit(run(Path(sys.argv[1]), None, 1))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, job(tmp_path, TEXT, "dataset.mine")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    (last,) = [decode_event(line) for line in done.stdout.splitlines()]
    assert isinstance(last, Failed)
    assert last.message == "dataset.mine: the worker crashed: ZeroDivisionError: oh"
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "in make" in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can not be read: No such file or directory"),
        ("{", "is not a job: Input data was truncated"),
        ('{"id": "one"}', "is not a job: Object missing required field `address`"),
    ],
)
def test_a_bad_job_is_named_on_standard_error(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "job.json"
    if content is not None:
        path.write_text(content)
    assert work(path) == (2, [], f"python -m tsws.worker: {path} {message}\n")


def test_events_that_can_not_be_written_are_named_on_standard_error(tmp_path: Path) -> None:
    status, events, err = work(job(tmp_path, TEXT, "dataset.mine"), "--events", tmp_path)
    assert (status, events) == (2, [])
    assert err == f"python -m tsws.worker: [Errno 21] Is a directory: {str(tmp_path)!r}\n"


def test_a_folder_that_can_not_be_written_is_no_bug(tmp_path: Path) -> None:
    (tmp_path / "stories.txt").write_text("One day.\n")
    (tmp_path / ".tsws").write_text("in the way")
    status, events, _ = work(job(tmp_path, TEXT, "dataset.mine"))
    (last,) = events
    assert isinstance(last, Failed)
    assert status == 1
    assert "the disk refused" in last.message or "can not be looked at" in last.message


def test_a_request_to_stop_that_comes_before_anything_was_begun_ends_it(tmp_path: Path) -> None:
    (tmp_path / "stories.txt").write_text("One day.\n")
    path = job(tmp_path, TEXT, "dataset.mine")
    with resource_lock(tmp_path / ".tsws/locks/dataset.mine"):
        process = start(path)
        assert process.stdout is not None
        first = decode_event(process.stdout.readline())
        assert isinstance(first, Log)
        assert first.message == "waiting for another process that makes it"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE)
    (last,) = [decode_event(line) for line in out.splitlines()]
    assert isinstance(last, Failed)
    assert (process.returncode, last.interrupted) == (130, True)
    assert last.message == "dataset.mine: stopped while another process makes it"
    assert not (tmp_path / ".tsws/state/dataset.mine.json").exists()


def test_a_second_worker_takes_what_the_first_has_made(tmp_path: Path) -> None:
    (tmp_path / "stories.txt").write_text("One day.\n")
    path = job(tmp_path, TEXT, "dataset.mine")
    first = Workspace.of_job(decode_job(path.read_bytes()), tmp_path)
    store, resource = first.context.store, first.graph["dataset.mine"]
    with resource_lock(store.resource_lock_path("dataset.mine")):
        second = start(path)
        assert second.stdout is not None
        assert isinstance(decode_event(second.stdout.readline()), Log), "it has decided to make it, and waits"
        action, facts = first.plan(["dataset.mine"])["dataset.mine"], Observer(store).facts(resource)
        made = carry_out(store, resource, action, facts, {}, ignore, lambda: False)
    second.communicate(timeout=PATIENCE)
    assert second.returncode == 0
    assert store.record("dataset.mine") == made


def test_a_request_to_stop_while_tokenizing_keeps_what_is_done(tmp_path: Path, real_data: Path) -> None:
    text = "".join(f"{story(0, index).text}\n<|endoftext|>\n" for index in range(40)) * 200
    (tmp_path / "stories.txt").write_text(text)
    manifest = {
        **TEXT,
        "tokenizer": {"tok": {"source": str(real_data / "tok105" / "tok105.model")}},
        "model": {"m": {"dim": 8, "n_heads": 1}},
        "run": {"r": {"model": "m", "dataset": "mine", "tokenizer": "tok"}},
    }
    process = start(job(tmp_path, manifest, "tokens.mine.tok"))
    assert process.stdout is not None
    for line in process.stdout:
        event = decode_event(line)
        if isinstance(event, Progress) and event.label == "tokenizing":
            process.send_signal(signal.SIGTERM)
            break
    out, err = process.communicate(timeout=PATIENCE)
    last = decode_event(out.splitlines()[-1])
    assert isinstance(last, Failed), err
    assert (process.returncode, last.interrupted, last.address) == (130, True, "tokens.mine.tok")
    status, events, _ = work(tmp_path / "job.json")
    assert (status, shown(events)[-1]) == (0, ("Done", "tokens.mine.tok"))


def test_events_of_several_threads_are_whole_and_the_own_ending_is_held_back(tmp_path: Path) -> None:
    read, write = os.pipe()
    speaker = Speaker(write, "run.a")

    def talk(number: int) -> None:
        for step in range(200):
            speaker.say(Log(address=f"dataset.{number}", message=f"{step} " + "x" * 997))
        speaker.say(Done(address="run.a"))
        speaker.say(Started(address="run.a"))

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()

    def finish() -> None:
        for thread in threads:
            thread.join()
        speaker.close(Done(address="run.a"))
        os.close(write)

    closing = threading.Thread(target=finish)
    closing.start()
    with open(read, "rb") as stream:
        events = [decode_event(line) for line in stream]
    closing.join()
    assert len(events) == 6 * 200 + 1
    for number in range(6):
        steps = [e.message.split()[0] for e in events if isinstance(e, Log) and e.address == f"dataset.{number}"]
        assert steps == [str(step) for step in range(200)]
    assert isinstance(events[-1], Done)
