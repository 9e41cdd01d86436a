"""A run takes the shape of the machines that it is to be trained on: a process for each GPU, on so many machines. Pure."""

from __future__ import annotations

import copy

import msgspec

from tsws.errors import JobError
from tsws.job import Job
from tsws_modal.options import ModalOptions


def shaped(job: Job, options: ModalOptions) -> Job:
    """A job whose run is trained by as many processes and machines as the backend has.

    Neither changes what comes out, but by rounding, so no fingerprint hangs on it.

    Args:
        job: as it was asked for.
        options: of the backend.

    Raises:
        JobError: the run says another number itself.
    """
    table, _, name = job.address.partition(".")
    run = job.manifest.get(table, {}).get(name) if table == "run" else None
    if run is None or job.is_question:
        return job
    wanted = {"processes": max(1, options.gpu_count), "nodes": options.nodes}
    keys = {"processes": "gpu", "nodes": "nodes"}
    for key, number in wanted.items():
        said = run.get(key, 1)
        if said not in (1, number) and not (key == "processes" and not options.gpus):
            raise JobError(
                f"{job.address}: it says `{key} = {said}`, and the backend's `{keys[key]}` makes that {number}",
                hint=f"leave `{key}` out of the run, or change `{keys[key]}` in the backend's table",
            )
    shape = {key: max(number, run.get(key, 1)) for key, number in wanted.items()}
    manifest = copy.deepcopy(job.manifest)
    manifest["run"][name] |= {key: number for key, number in shape.items() if number > 1}
    return msgspec.structs.replace(job, manifest=manifest)
