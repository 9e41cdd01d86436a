"""A run that two machines train: two workers, each in its own session, that meet on the loopback."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from tests.workspace.conftest import MANIFEST
from tsws import Workspace
from tsws.io.digest import sha256_file
from tsws.job import Checkpoint, Event
from tsws.plugin import load_plugins
from tsws.reconcile.apply import Report
from tsws_local import LocalBackend

PATIENCE = 120.0
OUTCOMES = ("out/small/model.bin", "out/small/samples.jsonl")


class Cluster(LocalBackend):
    """Two workers for each job, as a backend with machines starts them: the same command, torchrun's variables."""

    machines: ClassVar[list[subprocess.Popen[bytes]]] = []

    def _start(self, folder: Path, place: Path) -> subprocess.Popen[bytes]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
        for number in (1, 0):
            events = "events.jsonl" if number == 0 else "unheard.jsonl"
            with open(folder / f"machine{number}.log", "ab") as log:
                started = subprocess.Popen(
                    [sys.executable, "-P", *self.worker, str(folder / "job.json"), "--events", str(folder / events)],
                    cwd=place,
                    env=os.environ | meeting | {"NODE_RANK": str(number)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.machines.append(started)
        return started


@pytest.fixture
def machines() -> Iterator[list[subprocess.Popen[bytes]]]:
    """The workers of both machines, the one that leads last."""
    yield Cluster.machines
    for process in Cluster.machines:
        process.kill()
        process.wait()
    Cluster.machines.clear()


@pytest.fixture(scope="module")
def of_two_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace whose run one machine has trained with two processes."""
    root = tmp_path_factory.mktemp("processes")
    (root / "tinystories.toml").write_text(MANIFEST)
    assert Workspace.open(root, overrides=["run.small.processes=2"]).apply(["export.small"]).ok
    return root


@pytest.fixture
def root(of_two_processes: Path, tmp_path: Path) -> Path:
    """The same before its run was trained."""
    root = tmp_path / "workspace"
    shutil.copytree(of_two_processes, root, ignore=shutil.ignore_patterns("out", "runs", "*.small.json"))
    return root


def apply(root: Path, events: list[Event]) -> Report:
    """Train it with two machines of one process."""
    plugins = load_plugins()
    plugins = dataclasses.replace(plugins, backends={**plugins.backends, "local": Cluster})
    overrides = ["run.small.nodes=2", "run.small.checkpoint_interval=2"]
    return Workspace.open(root, overrides=overrides, plugins=plugins).apply(["export.small"], emit=events.append)


def outcome(root: Path) -> list[str]:
    return [sha256_file(root / path) for path in OUTCOMES]


@pytest.mark.slow
def test_two_machines_give_the_bytes_of_two_processes(
    root: Path, of_two_processes: Path, machines: list[subprocess.Popen[bytes]]
) -> None:
    report = apply(root, [])
    assert report.ok, [str(result.error) for result in report.failed]
    assert [process.wait(PATIENCE) for process in machines] == [0, 0]
    assert outcome(root) == outcome(of_two_processes)


@pytest.mark.marathon
@pytest.mark.parametrize("lost", [0, 1])
def test_when_one_machine_is_lost_both_end_and_the_next_apply_gives_the_same_bytes(
    lost: int, root: Path, of_two_processes: Path, machines: list[subprocess.Popen[bytes]]
) -> None:
    class Losing(list[Event]):
        def append(self, event: Event) -> None:
            super().append(event)
            if isinstance(event, Checkpoint) and len(machines) == 2:
                os.killpg(machines[1 - lost].pid, signal.SIGKILL)

    assert not apply(root, Losing()).ok
    assert [process.wait(PATIENCE) != 0 for process in machines] == [True, True]
    report = apply(root, [])
    assert report.ok, [str(result.error) for result in report.failed]
    assert outcome(root) == outcome(of_two_processes)
