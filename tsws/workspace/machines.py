"""What the machines of others know: jobs that run there, what they cost, what they will cost."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tsws.errors import TswsError
from tsws.job import VolumeRef
from tsws.plugin import Backend, RunningJob
from tsws.resources.active_jobs import ActiveJob, active_job, backend_of, jobs_folder, open_backend
from tsws.resources.dispatch import find_running
from tsws.resources.volume import open_volume
from tsws.workspace.context import Context
from tsws.workspace.history import running_job


@dataclass(frozen=True)
class Stranger:
    """A job that runs in a volume of this workspace and that this workspace does not know of: another machine's, or an orphan of a
    client that is lost."""

    found: RunningJob
    volume: str
    backend: str
    """Name of the table."""
    spent: float | None
    """Dollars until now; None: nobody knows."""


def refresh_backends(context: Context, runs: Collection[str]) -> None:
    """Let the backends of some runs look at what plans want to know, such as prices.

    Args:
        context: the workspace.
        runs: their names.
    """
    known = {context.manifest.run[name].backend: name for name in runs}
    for name in known.values():
        backend_of_run(context, name).refresh()


def backend_of_run(context: Context, name: str) -> Backend:
    """The backend of a run, opened.

    Raises:
        PluginError: no plugin provides it.
    """
    return _of_run(context, name)[0]


def find_job(context: Context, address: str) -> ActiveJob | None:
    """The job that works on a resource now, launched by this workspace or by anybody else, or None.

    Raises:
        TswsError: a volume that is somewhere else can not be reached.
    """
    own = running_job(context, address)
    name = address.removeprefix("run.")
    if own is not None or not address.startswith("run.") or context.manifest.run[name].volume is None:
        return own
    backend, ref = _of_run(context, name)
    volume = open_volume(ref, context.plugins, context.root) if ref is not None else None
    found = find_running(backend, volume, address)
    if found is None:
        return None
    table = context.manifest.backend.get(backend.table)
    return ActiveJob(
        address=address,
        handle=found.handle,
        wanted="",
        launched_at=found.launched_at,
        kind=backend.name,
        options=dict(table.options) if table else {},
    )


def strangers(context: Context) -> Iterator[Stranger]:
    """Jobs that run in the workspace's volumes and that nobody here knows of.

    Raises:
        TswsError: a volume can not be reached.
    """
    known = {job.handle.job for job in _jobs(context)}
    for place in dict.fromkeys((run.backend, run.volume) for run in context.manifest.run.values() if run.volume):
        name = next(one for one, run in context.manifest.run.items() if (run.backend, run.volume) == place)
        backend, ref = _of_run(context, name)
        if ref is None:
            continue
        for found in backend.running(open_volume(ref, context.plugins, context.root)):
            if found.job.id not in known:
                yield Stranger(found, ref.name, backend.table, backend.spent(found.handle))


def spent(context: Context, job: ActiveJob) -> tuple[float | None, float | None]:
    """What a job has cost until now, and what its machine costs an hour; None where it costs nothing or nobody knows."""
    try:
        backend = backend_of(job, context.plugins, context.root)
        price = backend.price()
        return backend.spent(job.handle), price.dollars_per_hour if price else None
    except TswsError:
        return None, None


def _of_run(context: Context, name: str) -> tuple[Backend, VolumeRef | None]:
    run = context.manifest.run[name]
    table = context.manifest.backend.get(run.backend)
    kind = (table.kind if table else None) or run.backend
    backend = open_backend(run.backend, kind, dict(table.options) if table else {}, context.plugins, context.root)
    if run.volume is None:
        return backend, None
    there = context.manifest.volume[run.volume]
    return backend, VolumeRef(name=run.volume, kind=there.kind, options=there.options)


def _jobs(context: Context) -> Iterator[ActiveJob]:
    for path in jobs_folder(context.root).glob("*.json"):
        job = active_job(context.root, path.stem)
        if job is not None:
            yield job
