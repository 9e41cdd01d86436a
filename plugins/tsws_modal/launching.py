"""Launching a job: its record on the volume first, then the app, the call. The lease is for the container to take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tsws.errors import JobError
from tsws.job import Job, encode_job
from tsws.plugin import Price, load_plugins, shipment
from tsws_modal.calls import any_unfinished
from tsws_modal.client import connect, environment_of
from tsws_modal.deploying import build_log, deploy
from tsws_modal.errors import refusals
from tsws_modal.files import VolumeFiles
from tsws_modal.image import build_image
from tsws_modal.layout import CALLS, ENDED, JOB, Orders, Stage, app_name, job_folder
from tsws_modal.options import ModalOptions
from tsws_modal.place import Whereabouts
from tsws_modal.prices import price_of
from tsws_modal.rates import known_rates
from tsws_modal.shape import shaped
from tsws_modal.volume import ModalVolume

if TYPE_CHECKING:
    import modal


def launch(job: Job, volume: ModalVolume, options: ModalOptions, base: Path, worker: str) -> Whereabouts:
    """Launch a job, or find it: one that was launched before is not launched again.

    Args:
        job: what to do.
        volume: where.
        options: of the backend.
        base: the workspace's folder.
        worker: the module that is the worker.

    Raises:
        JobError: Modal refuses.
    """
    environment = environment_of(options.environment or volume.options.environment)
    client = connect(JobError, job.address)
    failed: list[Exception] = []
    with refusals(JobError, job.address, build_log=lambda: build_log(failed[0], client)):
        files = VolumeFiles(lambda: _created(volume, client))
        name, folder = app_name(job.id), job_folder(job.id)
        known = files.list(folder, deep=True)
        calls = sorted(one.removeprefix(f"{CALLS}/") for one in known if one.startswith(f"{CALLS}/"))
        where = Whereabouts(
            address=job.address,
            app=name,
            volume=volume.modal_name,
            volume_environment=environment_of(volume.options.environment),
            app_environment=environment,
            call=calls[0] if calls else "",
        )
        if ENDED in known or any_unfinished(calls, client):
            return where
        if not calls:  # a client that died here may have written another state of it
            files.put(f"{folder}/{JOB}", encode_job(shaped(job, options)))
        try:
            deployed = deploy(
                name,
                job,
                options,
                image=build_image(shipment(load_plugins()), options.packages, base / ".tsws/cache/modal"),
                volume=files.volume,
                environment=environment,
                client=client,
            )
        except Exception as error:
            failed.append(error)
            raise
        call = deployed.call(_orders(job, name, volume, environment, options, base, worker))
        files.create(f"{folder}/{CALLS}/{call}", b"")
    return msgspec.structs.replace(where, call=call)


def first_stage(job: Job, *, gpu: bool) -> Stage:
    """Where a job begins: whenever there is something to make that no GPU helps with, a machine without one makes it first."""
    return "prepare" if gpu and job.prepare and not job.is_question else "work"


def _orders(
    job: Job,
    app: str,
    volume: ModalVolume,
    environment: str | None,
    options: ModalOptions,
    base: Path,
    worker: str,
) -> Orders:
    rates, day = known_rates(base)
    prices: dict[Stage, Price] = {
        "prepare": price_of(options, rates, day, gpu=False),
        "work": price_of(options, rates, day, gpu=not job.is_question),
    }
    return Orders(
        job=job.id,
        address=job.address,
        stage=first_stage(job, gpu=bool(options.gpus)),
        nodes=1 if job.is_question else options.nodes,
        app=app,
        volume=volume.modal_name,
        volume_environment=environment_of(volume.options.environment),
        app_environment=environment,
        worker=worker,
        timeout=options.seconds,
        rates={str(stage): price.dollars_per_hour for stage, price in prices.items()},
        max_cost=job.max_cost if job.max_cost is not None else options.max_cost,
        machine=prices["work"].machine,
    )


def _created(volume: ModalVolume, client: modal.Client) -> modal.Volume:
    import modal

    return modal.Volume.from_name(
        volume.modal_name,
        environment_name=environment_of(volume.options.environment),
        create_if_missing=True,
        version=volume.options.version,
        client=client,
    )
