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
    shape = {}
    for key, cause, number in (("processes", "gpu", options.gpu_count), ("nodes", "nodes", options.nodes)):
        said = run.get(key, 1)
        if number and said not in (1, number):
            raise JobError(
                f"{job.address}: it says `{key} = {said}`, and the backend's `{cause}` makes that {number}",
                hint=f"leave `{key}` out of the run, or change `{cause}` in the backend's table",
            )
        if number > 1:
            shape[key] = number
    manifest = copy.deepcopy(job.manifest)
    manifest["run"][name] |= shape
    return msgspec.structs.replace(job, manifest=manifest)
