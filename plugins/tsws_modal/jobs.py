"""The jobs on a volume that are queued or run, whoever launched them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tsws.errors import JobError
from tsws.job import Handle, decode_job
from tsws.plugin import RunningJob
from tsws_modal.client import environment_of
from tsws_modal.errors import refusals
from tsws_modal.layout import JOB, JOBS, app_name
from tsws_modal.place import JobPlace, Whereabouts
from tsws_modal.volume import ModalVolume


def running(table: str, volume: ModalVolume) -> Iterator[RunningJob]:
    """The jobs of a volume that a container works on, or is to, the oldest first.

    Args:
        table: name of the backend's table, for the handles.
        volume: where to look.

    Raises:
        TswsError: Modal does not answer.
    """
    if not volume.exists():
        return
    listed: dict[str, dict[str, float]] = {}
    for stat in volume.list(f"{JOBS}/"):
        job, _, name = stat.path.removeprefix(f"{JOBS}/").partition("/")
        listed.setdefault(job, {})[name] = stat.mtime
    for job, known in sorted(listed.items()):
        where = Whereabouts(
            address="",
            app=app_name(job),
            volume=volume.modal_name,
            volume_environment=environment_of(volume.options.environment),
        )
        place = JobPlace(job, where)
        with refusals(JobError, f"volume {volume.name}"):
            if JOB not in known or not place.is_unfinished(known):
                continue
            data = place.files.read(f"{place.folder}/{JOB}")
        if data is not None:
            found = decode_job(data)
            handle = msgspec.to_builtins(msgspec.structs.replace(where, address=found.address))
            yield RunningJob(found, Handle(backend=table, job=job, data=handle), known[JOB])
