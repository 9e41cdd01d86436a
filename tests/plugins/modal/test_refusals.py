"""What Modal refuses, or what befalls a container, as a person reads it: through the command line and the genuine client."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.modal_plane.faults import BuildFailure
from tests.modal_plane.plane import Plane
from tests.plugins.modal.workplace import PATIENCE, Workplace, files_on, on_modal, wait_for

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
    assert re.fullmatch(
        r"error: run.small: .*hugging-face.*\n"
        r"hint: `modal secret list` shows those there are; `modal secret create NAME KEY=VALUE` makes one\n",
        said,
    ), said


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
    assert re.fullmatch(
        r"error: run.small: Modal does not permit it: Token does not have permission to call \w+\n"
        r"hint: ask an owner of the workspace for the right, or use another `environment` or profile\n",
        said,
    ), said


def test_a_client_that_is_too_old_is_told(plane: Plane, place: Workplace) -> None:
    plane.faults.oldest_client = "99.0"
    said = error_of(place.run("apply", "-y", status=1))
    assert re.fullmatch(
        r"error: volume box: Modal no longer serves a client this old: .*\nhint: run `pip install --upgrade modal`\n",
        said,
    ), said


@pytest.mark.marathon
def test_a_volume_of_another_version_is_told(plane: Plane, place: Workplace, volume: str) -> None:
    place.run("apply", "-y")
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


@pytest.mark.marathon
def test_an_app_that_is_stopped_from_elsewhere_is_told(plane: Plane, at_work: Workplace) -> None:
    plane.stop_app()
    assert end_of(at_work) == f"error: run.small: the app was stopped from elsewhere\nhint: {FROM_CHECKPOINT}\n"


def test_doctor_looks_at_token_and_volume(place: Workplace) -> None:
    said = place.run("doctor")
    assert re.search(r"(?m)^ok    backend modal: the modal client is version \S+$", said)
    assert "ok    backend modal: the token is accepted; the workspace is plane\n" in said
    assert re.search(r"(?m)^ok    backend modal: T4: \$0\.67 an hour \(Modal's price list of July 2026\)$", said)
    assert "ok    volume box: can be reached, and is empty\n" in said
    none = {"MODAL_TOKEN_ID": "", "MODAL_TOKEN_SECRET": ""}
    said = place.run("doctor", status=1, **none)
    assert f"fail  backend modal: there is no Modal token on this machine\n      hint: {TOKEN_NEW}\n" in said
