"""One job, from its file to its last word.

The worker opens the folder it stands in as a workspace and brings the job's targets up to date there. Its last event is
``Done`` or ``Failed`` of the job's own address, whatever happens; only a kill leaves a stream without one.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from pathlib import Path
from types import FrameType

import msgspec

from tsws.errors import InterruptedByUser, JobError, TswsError
from tsws.fetch.lockfile import merge
from tsws.job import Done, Evaluating, Failed, Found, Job, Telling, Text, decode_job
from tsws.manifest.specs import RunSpec
from tsws.reconcile.apply import Outcome, Report
from tsws.resources.sourcing import LOCK_NAME
from tsws.worker.manifest_file import keep_manifest
from tsws.worker.speaking import Speaker
from tsws.workspace import Workspace
from tsws.workspace.carrying import pins_of


def run(job_path: Path, root: Path | None, descriptor: int) -> int:
    """Do a job.

    Args:
        job_path: the job, as JSON.
        root: the workspace to work in; None: the job's own, or the current folder.
        descriptor: open file to which events are appended.

    Returns:
        exit status: 0 done, 1 failed, 130 stopped on request.

    Raises:
        JobError: there is no job to be read, so nobody to say the last word to.
    """
    asked_to_stop = _listen_to_signals()
    job = _read(job_path)
    speaker = Speaker(descriptor, job.address)
    began = time.monotonic()
    try:
        place = root or Path(job.root or ".")
        if job.is_question:
            _answer(job, place, speaker, asked_to_stop)
        elif (run_spec := _led_elsewhere(job, place)) is not None:
            _help(job, run_spec)
        else:
            _raise_failure(_work(job, place, speaker, asked_to_stop), job.address)
    except TswsError as error:
        interrupted = isinstance(error, InterruptedByUser)
        speaker.close(Failed(address=job.address, message=error.message, hint=error.hint, interrupted=interrupted))
        return error.exit_status
    except OSError as error:
        name = f" ({error.filename})" if error.filename else ""
        message = f"{job.address}: the disk refused: {error.strerror or error}{name}"
        speaker.close(Failed(address=job.address, message=message, hint="make room or mend the permissions there"))
        return 1
    except Exception as error:  # noqa: BLE001  the last word has to be said; the log keeps the whole story
        traceback.print_exc()
        speaker.close(_crash(job.address, error))
        return 1
    speaker.close(Done(address=job.address, seconds=time.monotonic() - began))
    return 0


def _crash(address: str, error: Exception) -> Failed:
    """What to say of an error that nobody expected; torch's own for a full memory are known by their names and words."""
    gpu = type(error).__name__ == "OutOfMemoryError"
    if gpu or isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        said = str(error).partition(". GPU")[0] or "no more could be had"
        return Failed(
            address=address,
            message=f"{address}: the memory of the {'GPU' if gpu else 'machine'} is full: {said}",
            hint="choose a smaller model or max_seq_len, or a machine with more memory",
        )
    message = f"{address}: the worker crashed: {type(error).__name__}: {error}"
    return Failed(address=address, message=message, hint="`tsws logs` shows the whole story; it is a bug")


def _read(path: Path) -> Job:
    try:
        return decode_job(path.read_bytes())
    except OSError as error:
        raise JobError(f"{path} can not be read: {error.strerror or error}") from error
    except msgspec.DecodeError as error:
        raise JobError(f"{path} is not a job: {error}", hint="backends write it with tsws.job.encode_job") from error


def _work(job: Job, root: Path, speaker: Speaker, asked_to_stop: threading.Event) -> Report:
    root = root.absolute()
    workspace = Workspace.of_job(job, root)
    if job.volume is not None:  # the volume becomes a workspace that a person can open, too
        keep_manifest(root, job.manifest)
        merge(root / LOCK_NAME, pins_of(job.pins))
    return workspace.work(job, emit=speaker.say, stop=asked_to_stop.is_set)


def _led_elsewhere(job: Job, root: Path) -> RunSpec | None:
    """The run of a job that several machines train together, when another one than this leads; None: do it all here."""
    if os.environ.get("NODE_RANK", "0") == "0":
        return None
    runs = Workspace.of_job(job, root.absolute()).context.manifest.run
    spec = runs.get(job.address.removeprefix("run."))
    return spec if spec is not None and spec.nodes > 1 else None


def _help(job: Job, spec: RunSpec) -> None:
    """Compute for the machine that leads: it does all the rest of the job."""
    from tsws.train.followers import serve_node

    serve_node(job.address, processes=spec.processes, nodes=spec.nodes)


def _answer(job: Job, root: Path, speaker: Speaker, asked_to_stop: threading.Event) -> None:
    if job.targets:  # what was cleaned away, and is needed for the answer
        _raise_failure(_work(job, root, speaker, asked_to_stop), job.address)
    if job.telling is not None:
        _tell(job, job.telling, root, speaker, asked_to_stop)
    if job.evaluating is not None:
        _evaluate(job, job.evaluating, root, speaker)


def _tell(job: Job, telling: Telling, root: Path, speaker: Speaker, asked_to_stop: threading.Event) -> None:
    """Stories instead of targets: by torch, for the native program is built for the processor that it was built on."""
    workspace = Workspace.of_job(job, root.absolute())
    for seed in telling.seeds:
        pieces = workspace.generate(
            telling.prompt,
            run=telling.run,
            engine="torch",
            temperature=telling.temperature,
            top_p=telling.top_p,
            steps=telling.steps,
            seed=seed,
        )
        for piece in pieces:
            speaker.say(Text(address=job.address, seed=seed, piece=piece))
            if asked_to_stop.is_set():
                raise InterruptedByUser(f"{job.address}: stopped on request")


def _evaluate(job: Job, evaluating: Evaluating, root: Path, speaker: Speaker) -> None:
    from tsws.workspace.evaluating import evaluate, texts_of_run
    from tsws.workspace.playables import find_playable

    context = Workspace.of_job(job, root.absolute()).context
    playable = find_playable(context, run=evaluating.run)
    found = evaluate(playable, texts_of_run(context, evaluating.run), evaluating.asked, context.plugins)
    speaker.say(Found(address=job.address, document=msgspec.to_builtins(found, str_keys=True)))


def _raise_failure(report: Report, address: str) -> None:
    for result in report.results:
        if result.error is not None:
            raise result.error
    if any(result.outcome is Outcome.SKIPPED for result in report.results):
        raise InterruptedByUser(f"{address}: stopped on request; what is done is kept", hint="`tsws apply` continues")
    if not report.results:
        raise JobError(f"{address}: the job names nothing to do")


def _listen_to_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set: finish the step, write a checkpoint, end."""
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return asked
