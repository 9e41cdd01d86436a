"""Stories told where the model is: by a machine of the run's backend, in the run's volume, for people without the model at home."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tsws.errors import JobError, UsageError
from tsws.job import Done, Failed, Job, Telling, Text
from tsws.plugin import Backend, Volume
from tsws.resources.dispatch import new_job_id
from tsws.resources.following import failure
from tsws.resources.remote import assignment_of
from tsws.resources.volume import open_volume
from tsws.workspace.context import Context
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
    context.expansion.graph[f"run.{name}"]
    assignment = assignment_of(name, context.manifest, context.data)
    if assignment.volume is None:
        raise UsageError(
            f"run.{name} works in no volume: its model is on this machine", hint="leave --remote out to play it here"
        )
    backend = backend_of_run(context, name)
    address = f"story.{name}.{time.time_ns() % SEEDS:x}"  # nobody's but this call's: stories do not wait for each other
    job = Job(
        id=new_job_id(f"story.{name}"),
        address=address,
        targets=(),
        fingerprint="",
        manifest=assignment.manifest,
        volume=assignment.volume,
        options=assignment.options,
        max_cost=backend.cost_limit(),
        telling=Telling(
            run=name,
            prompt=telling.prompt,
            temperature=telling.temperature,
            top_p=telling.top_p,
            steps=telling.steps,
            seeds=telling.seeds,
        ),
    )
    yield from _heard(backend, job, open_volume(assignment.volume, context.plugins, context.root))


def _heard(backend: Backend, job: Job, volume: Volume) -> Iterator[Text]:
    handle = backend.launch(job, volume)
    ended = False
    try:
        for event in backend.attach(handle):
            if isinstance(event, Text):
                yield event
            elif isinstance(event, Done | Failed) and event.address == job.address:
                ended = True
                if isinstance(event, Failed):
                    raise failure(event)
                return
        ended = True
        raise backend.obituary(handle) or JobError(
            f"{job.address}: the worker died without a last word", hint="run the same command again"
        )
    finally:
        if not ended:
            backend.cancel(handle)
