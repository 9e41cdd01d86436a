"""The app of a job: deployed, then called.

A deployed app, and not a detached run, for three reasons. Of a detached run Modal keeps only the call alive that was made last, while
a job passes from one call to the next. An app has a name, so whoever launches a job again deploys the same app again, and finds
it from any machine. And its functions can be looked up by name in its own containers, which call their successors.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tsws.job import Job
from tsws_modal.layout import MOUNT, Orders, Stage
from tsws_modal.options import LONGEST, ModalOptions

if TYPE_CHECKING:
    import modal

SLACK = 600.0
"""Seconds that Modal's own time-out comes after ours: a container that does not pass on by itself is stuck."""
IDLE = 2
"""Seconds that a container waits for more work; the least that Modal takes. A container works on one call, and ends."""
LONGEST_DELAY = 60.0
"""Seconds between a failure and the next try, the most that Modal takes."""


@dataclass(frozen=True)
class Deployed:
    """An app that can be called."""

    functions: dict[Stage, modal.Function[[str], str, str]]

    def call(self, orders: Orders) -> str:
        """Begin to work; returns the id of the function call at once."""
        return self.functions[orders.stage].spawn(msgspec.json.encode(orders).decode()).object_id


def deploy(
    name: str,
    job: Job,
    options: ModalOptions,
    *,
    image: modal.Image,
    volume: modal.Volume,
    environment: str | None,
    client: modal.Client,
) -> Deployed:
    """Deploy the app of a job; one that is deployed already stays as it is.

    Raises:
        Exception: Modal refuses, as its client raises it.
    """
    import modal

    from tsws_modal.container import work

    app = modal.App(name, tags={"tsws-job": job.id[:60], "tsws-address": job.address[:60]}, include_source=False)
    common: dict[str, Any] = {
        "image": image,
        "volumes": {MOUNT: volume},
        "secrets": [modal.Secret.from_name(one, environment_name=environment) for one in options.secrets],
        "env": dict(options.env) or None,
        "cpu": options.cpu,
        "memory": options.memory,
        "region": options.region,
        "timeout": int(min(options.seconds + SLACK, LONGEST)),
        "retries": modal.Retries(max_retries=options.retries, initial_delay=1.0, max_delay=LONGEST_DELAY),
        "single_use_containers": True,
        "scaledown_window": IDLE,
    }
    gpu, nodes = (None, 1) if job.is_question else (options.gpu, options.nodes)
    joined = work if nodes == 1 else modal.clustered(size=nodes)(work)
    functions: dict[Stage, modal.Function[[str], str, str]] = {
        "prepare": app.function(name="prepare", max_containers=1, **common)(work),
        "work": app.function(name="work", gpu=gpu, max_containers=nodes, **common)(joined),
    }
    app.deploy(environment_name=environment, client=client)
    return Deployed(functions)


def stop(name: str, environment: str | None, client: modal.Client) -> None:
    """End an app that nothing is left to do for. One that is not there is no error, and nobody waits for an answer in vain."""
    import modal

    with suppress(modal.exception.Error, OSError):
        modal.App.lookup(name, environment_name=environment, client=client).stop(client=client)


def build_log(error: Exception, client: modal.Client) -> str:
    """What the builder of an image printed; empty when nobody tells."""
    import modal

    name = getattr(error, "image_id", None)
    if not name:
        return ""
    with suppress(modal.exception.Error, OSError):
        return "".join(entry.message for entry in modal.Image.from_id(name, client=client).logs.fetch())
    return ""
