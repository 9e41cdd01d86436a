"""What Modal refuses, or what befalls a container, as a person reads it: through the command line and the genuine client."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import modal
import pytest

from tests.modal_plane.faults import BuildFailure
from tests.modal_plane.plane import Plane
from tests.plugins.modal.workplace import PATIENCE, Workplace, files_on, on_modal, wait_for

pytestmark = pytest.mark.slow

MakePlace = Callable[..., Workplace]
TOKEN_NEW = "run `modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET"
FROM_CHECKPOINT = "run `tsws apply` again: it goes on from the last checkpoint"


@pytest.fixture
def volume(tmp_path: Path) -> str:
    """The name of a volume that nobody has used."""
    return f"box-{tmp_path.name}"[:60]


@pytest.fixture
def place(workplace: MakePlace, volume: str) -> Workplace:
    made = workplace()
    made.write(on_modal(volume))
    return made


@pytest.fixture
def free_port() -> Iterator[int]:
    """One that nobody listens at."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


def error_of(said: str) -> str:
    """The first error and its hint."""
    found = re.search(r"(?ms)^error: .*?^hint: [^\n]*\n", said)
    assert found, said
    return found[0]


@pytest.mark.parametrize(
    ("environment", "message", "hint"),
    [
        ({"MODAL_TOKEN_ID": "", "MODAL_TOKEN_SECRET": ""}, "there is no Modal token on this machine", TOKEN_NEW),
        (
            {"MODAL_TOKEN_SECRET": "as-wrong"},
            "Modal does not accept the token: Token validation failed",
            "run `modal token new` for one that is valid",
        ),
        (
            {"MODAL_TOKEN_ID": "", "MODAL_TOKEN_SECRET": "", "MODAL_PROFILE": "nobody"},
            "there is no Modal profile 'nobody' in {folder}/modal.toml",
            "`modal profile list` shows those there are; `modal token new --profile nobody` makes this one",
        ),
        (
            {"MODAL_ENVIRONMENT": "nowhere"},
            "Environment 'nowhere' not found in workspace 'plane'",
            "`modal environment list` shows those there are; `modal environment create NAME` makes one",
        ),
    ],
    ids=["no token", "wrong token", "unknown profile", "no environment"],
)
def test_who_is_not_known_is_told(
    plane: Plane, place: Workplace, environment: dict[str, str], message: str, hint: str
) -> None:
    said = error_of(place.run("apply", "-y", status=1, **environment))
    message = message.format(folder=plane.state.folder)
    assert said == f"error: volume box: {message}\nhint: {hint}\n"


def test_without_a_token_everything_else_works(place: Workplace) -> None:
    none = {"MODAL_TOKEN_ID": "", "MODAL_TOKEN_SECRET": ""}
    assert "run.small" in place.run("plan", **none)
    assert "not made yet" in place.run("status", **none)
    place.run("apply", "-y", "dataset.toy", **none)


def test_a_server_that_is_not_there_is_told_at_once(place: Workplace, free_port: int) -> None:
    began = time.monotonic()
    said = error_of(place.run("apply", "-y", status=1, MODAL_SERVER_URL=f"http://127.0.0.1:{free_port}"))
    assert time.monotonic() - began < 10 + 5  # seconds; the second are for Python and the plan on a busy machine
    assert said.startswith(
        f"error: volume box: Modal can not be reached: 127.0.0.1:{free_port}: Connection refused\nhint: "
    )


def test_a_quota_of_gpus_is_told(plane: Plane, place: Workplace) -> None:
    plane.faults.gpu_quota = 0
    said = error_of(place.run("apply", "-y", status=1))
    assert said == (
        "error: run.small: GPU quota exceeded: 1 GPUs were requested, the workspace's limit is 0\n"
        "hint: ask for less, wait until other work there has ended, or raise the limit of the Modal workspace\n"
    )


def test_a_spend_limit_is_told(plane: Plane, place: Workplace) -> None:
    plane.faults.spend_limit = True
    said = error_of(place.run("apply", "-y", status=1))
    assert said == (
        "error: run.small: Workspace 'plane' has reached its spend limit for this billing cycle\n"
        "hint: raise the limit in the settings of the Modal workspace, or wait for the next billing cycle\n"
    )


def test_an_image_that_can_not_be_built_shows_its_last_lines(plane: Plane, place: Workplace, volume: str) -> None:
    place.write(on_modal(volume, options='packages = ["nosuchpackage"]'))
    plane.faults.build = BuildFailure(lines=("Looking\n", "ERROR: No matching distribution found for nosuchpackage\n"))
    said = error_of(place.run("apply", "-y", status=1))
    first, *lines = said.splitlines(keepends=True)
    assert first == "error: run.small: its image could not be built:\n"
    assert all(line.startswith("  ") for line in lines[:-1])
    assert "".join(lines[-3:]) == (
        "  Looking\n"
        "  ERROR: No matching distribution found for nosuchpackage\n"
        "hint: correct what the last lines name (a package, a version, a command), then run the same command again\n"
    )


def test_a_secret_that_is_missing_is_told(place: Workplace, volume: str) -> None:
    place.write(on_modal(volume, options='secrets = ["hugging-face"]'))
    said = error_of(place.run("apply", "-y", status=1))
    assert said == (
        "error: run.small: Secret 'hugging-face' not found\n"
        "hint: `modal secret list` shows those there are; `modal secret create NAME KEY=VALUE` makes one\n"
    )


def test_a_permission_that_is_missing_is_told(plane: Plane, place: Workplace) -> None:
    plane.faults.permissions = frozenset(
        {
            "ClientHello",
            "EnvironmentGetOrCreate",
            "VolumeGetOrCreate",
            "VolumeListFiles2",
            "VolumePutFiles2",
            "VolumeGetFile2",
        }
    )
    said = error_of(place.run("apply", "-y", status=1))
    assert said == (
        "error: run.small: Modal does not permit it: Token does not have permission to call AppGetByDeploymentName\n"
        "hint: ask an owner of the workspace for the right, or use another `environment` or profile\n"
    )


def test_a_client_that_is_too_old_is_told(plane: Plane, place: Workplace) -> None:
    plane.faults.oldest_client = "99.0"
    said = error_of(place.run("apply", "-y", status=1))
    assert said == (
        "error: volume box: Modal no longer serves a client this old: "
        f"The client version {modal.__version__} is too old: at least 99.0 is required. "
        "Please update with `pip install --upgrade modal`\n"
        "hint: run `pip install --upgrade modal`\n"
    )


def test_a_volume_of_another_version_is_told(place: Workplace, volume: str) -> None:
    modal.Volume.objects.create(volume, version=2)
    place.write(on_modal(volume, version=1))
    said = error_of(place.run("apply", "-y", status=1))
    assert said == (
        f"error: volume box: Modal has the volume {volume} in version 2, and the manifest says version 1\n"
        "hint: say `version = 2` in the volume's table, or give it another `name`\n"
    )


# --- what befalls a container ---


@pytest.fixture
def at_work(place: Workplace, plane: Plane, volume: str) -> Workplace:
    """A workspace whose run is training, and has a checkpoint."""
    place.write(on_modal(volume, steps=100000, every=500, options="retries = 0"))
    place.start("apply", "-y")
    wait_for(lambda: any("/checkpoints/" in path for path in files_on(plane, volume)), what="a checkpoint")
    return place


def end_of(place: Workplace) -> str:
    """What the apply that is at work says in the end."""
    process = place.processes[-1]
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, said
    return error_of(said)


def test_a_container_without_memory_is_told(plane: Plane, at_work: Workplace) -> None:
    plane.run_out_of_memory()
    assert end_of(at_work) == (
        "error: run.small: the container ran out of memory\n"
        "hint: ask for more `memory` in the backend's table, or lower `batch_size`\n"
    )


def test_a_worker_without_memory_is_told(plane: Plane, at_work: Workplace) -> None:
    """The kernel ends the largest process, which is the worker; the container's first one lives on and tells."""
    (container,) = plane.running()
    os.kill(worker_of(container.pid), signal.SIGKILL)
    assert end_of(at_work) == (
        "error: run.small: the worker was killed, most likely as the container's memory was full\n"
        f"hint: ask for more `memory` in the backend's table, or lower `batch_size`; {FROM_CHECKPOINT}\n"
    )


def worker_of(first: int) -> int:
    """The worker among the descendants of a container's first process."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            if parent == first and b"tsws.worker" in path.with_name("cmdline").read_bytes():
                return int(path.parent.name)
    raise LookupError("no worker runs")


def test_a_gpu_without_memory_is_told(place: Workplace, volume: str) -> None:
    """There is no GPU here: torch is made to say what it says when one is full."""
    options = 'gpu = "T4"\nenv = { PYTHONPATH = "/root:/workspace/site" }'
    place.write(on_modal(volume, options=options))
    with modal.Volume.from_name(volume, create_if_missing=True, version=2).batch_upload() as batch:
        batch.put_file(io.BytesIO(FULL_GPU), "/site/sitecustomize.py")
    assert error_of(place.run("apply", "-y", status=1)) == (
        "error: run.small: the memory of the GPU is full: CUDA out of memory. Tried to allocate 20.00 MiB\n"
        "hint: choose a smaller model or max_seq_len, or a machine with more memory\n"
    )


FULL_GPU = b"""
import sys

if any("tsws.worker" in word for word in sys.orig_argv):
    import torch

    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 14.56 GiB")

    torch.nn.Module.to = full
"""


def test_an_app_that_is_stopped_from_elsewhere_is_told(plane: Plane, at_work: Workplace) -> None:
    plane.stop_app()
    assert end_of(at_work) == f"error: run.small: the app was stopped from elsewhere\nhint: {FROM_CHECKPOINT}\n"


def test_a_call_that_is_cancelled_from_elsewhere_is_told(plane: Plane, at_work: Workplace) -> None:
    (container,) = plane.running()
    assert container.last_input is not None
    modal.FunctionCall.from_id(container.last_input.call_id).cancel()
    assert end_of(at_work) == f"error: run.small: it was cancelled\nhint: {FROM_CHECKPOINT}\n"


def test_a_volume_that_was_deleted_is_told(at_work: Workplace, volume: str) -> None:
    process = at_work.processes[-1]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    modal.Volume.objects.delete(volume)
    assert error_of(at_work.run("logs", "run.small", status=1)) == (
        f"error: run.small: Volume '{volume}' not found in environment 'main'\n"
        "hint: `modal volume list` shows those there are; correct the volume's `name` or its `environment`\n"
    )


def test_doctor_looks_at_token_and_volume(place: Workplace) -> None:
    said = place.run("doctor")
    assert re.search(r"(?m)^ok    backend modal: the modal client is version \S+$", said)
    assert "ok    backend modal: the token is accepted; the workspace is plane\n" in said
    assert re.search(r"(?m)^ok    backend modal: T4: \$0\.67 an hour \(Modal's price list of July 2026\)$", said)
    image = r"(?m)^ok    backend modal: its image has Python 3\.\d+, torch==\S+ and \d+ more packages, as here; the first run builds it$"
    assert re.search(image, said)
    assert "ok    volume box: can be reached, and is empty\n" in said
    none = {"MODAL_TOKEN_ID": "", "MODAL_TOKEN_SECRET": ""}
    said = place.run("doctor", status=1, **none)
    assert f"fail  backend modal: there is no Modal token on this machine\n      hint: {TOKEN_NEW}\n" in said
