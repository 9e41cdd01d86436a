"""Questions to a model where it is: a machine of the run's backend answers, in the run's volume, for people without the model at home."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec

from tsws.errors import JobError, UsageError
from tsws.job import Asked, Done, Evaluating, Event, Failed, Found, Job, Telling, Text
from tsws.resources.dispatch import Assignment, new_job_id
from tsws.resources.following import failure
from tsws.resources.remote import RemoteRunRule, assignment_of
from tsws.resources.run import RunRule
from tsws.resources.volume import open_volume
from tsws.workspace.context import Context
from tsws.workspace.evaluating import Evaluation
from tsws.workspace.machines import backend_of_run
from tsws.workspace.playables import default_run

SEEDS = 1 << 31


def tell_there(context: Context, telling: Telling) -> Iterator[Text]:
    """Stories, piece by piece as they are told, the prompt included.

    Who stops listening stops the machine, too.

    Args:
        context: the workspace.
        telling: what to tell; with an empty ``run`` by the default run's model.

    Raises:
        UsageError: the run works in no volume.
        JobError: it could not be told.
    """
    name = telling.run.removeprefix("run.") or default_run(context)
    job = _question(context, name, "story")
    for event in _answers(
        context, name, msgspec.structs.replace(job, telling=msgspec.structs.replace(telling, run=name))
    ):
        if isinstance(event, Text):
            yield event


def evaluate_there(context: Context, run: str, asked: Asked) -> Evaluation:
    """What is found out about a run's model, on the run's own data. What was cleaned away of these is made again there.

    Args:
        context: the workspace.
        run: its name.
        asked: what to find out.

    Raises:
        UsageError: the run works in no volume.
        JobError: it could not be found out.
    """
    name = run.removeprefix("run.")
    job = _question(context, name, "evaluation")
    job = msgspec.structs.replace(job, targets=_data(context, name), evaluating=Evaluating(run=name, asked=asked))
    found = [event.document for event in _answers(context, name, job) if isinstance(event, Found)]
    if not found:
        raise JobError(f"{job.address}: the worker found nothing out", hint="run the same command again")
    return msgspec.convert(found[-1], Evaluation, str_keys=True)


def _question(context: Context, name: str, kind: str) -> Job:
    """A job that makes nothing yet; its address is nobody's but this call's: questions do not wait for each other."""
    assignment = _assignment(context, name)
    return Job(
        id=new_job_id(f"{kind}.{name}"),
        address=f"{kind}.{name}.{time.time_ns() % SEEDS:x}",
        targets=(),
        fingerprint="",
        manifest=assignment.manifest,
        volume=assignment.volume,
        options=assignment.options,
        max_cost=backend_of_run(context, name).cost_limit(),
    )


def _assignment(context: Context, name: str) -> Assignment:
    context.expansion.graph[f"run.{name}"]  # raises when there is none
    assignment = assignment_of(name, context.manifest, context.data)
    if assignment.volume is None:
        raise UsageError(
            f"run.{name} works in no volume: its model is on this machine", hint="leave --remote out to use it here"
        )
    return assignment


def _data(context: Context, name: str) -> tuple[str, ...]:
    """Addresses of what a run was trained on and is evaluated on, in its volume."""
    rule = context.expansion.graph[f"run.{name}"].rule
    there = rule.there()[0][f"run.{name}"].rule if isinstance(rule, RemoteRunRule) else rule
    return (there.data,) if isinstance(there, RunRule) else ()


def _answers(context: Context, name: str, job: Job) -> Iterator[Event]:
    """All that the worker says but its last word. Who stops listening stops it."""
    backend = backend_of_run(context, name)
    volume = None if job.volume is None else open_volume(job.volume, context.plugins, context.root)
    handle = backend.launch(job, volume)
    ended = False
    try:
        for event in backend.attach(handle):
            if isinstance(event, Done | Failed) and event.address == job.address:
                ended = True
                if isinstance(event, Failed):
                    raise failure(event)
                return
            yield event
        ended = True
        raise backend.obituary(handle) or JobError(
            f"{job.address}: the worker died without a last word", hint="run the same command again"
        )
    finally:
        if not ended:
            backend.cancel(handle)
