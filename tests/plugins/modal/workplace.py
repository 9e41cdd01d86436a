"""A workspace whose run works on Modal, and people who call ``tsws`` in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.modal_plane.plane import Plane
from tests.modal_plane.trees import File
from tsws.io.digest import sha256_file
from tsws.job import Event, Metric
from tsws.plugin import load_plugins
from tsws.resources.active_jobs import active_job, backend_of

PATIENCE = 240.0
"""Seconds that anything here may take; these machines are shared."""

MANIFEST = """
[workspace]
default = ["run.small"]

[program.run]
source = "native"
flags = ["-O0"]

[dataset.toy]
source = "builtin:toy-stories"
stories = 300

[tokenizer.words]
train = "toy"
vocab_size = 340

[model.small]
dim = 16
n_layers = 2
n_heads = 2
max_seq_len = 32

[run.small]
model = "small"
dataset = "toy"
tokenizer = "words"
max_iters = {steps}
batch_size = 4
eval_interval = {every}
eval_tokens = 512
checkpoint_interval = {every}
log_interval = {every}
threads = 1
sample_prompt = ""
engine = "torch"
"""
"""With torch, for every container would have to compile the native engine first."""
ON_MODAL = """\
backend = "modal"
volume = "box"

[backend.modal]
{options}

[volume.box]
kind = "modal"
name = "{volume}"
version = {version}
"""
MODEL = "out/small/model.bin"


def here(steps: int = 60, every: int = 20) -> str:
    """The manifest of the run on this machine."""
    return MANIFEST.format(steps=steps, every=every)


def on_modal(volume: str, *, steps: int = 60, every: int = 20, options: str = 'gpu = "T4"', version: int = 2) -> str:
    """The same run on Modal."""
    return here(steps, every) + ON_MODAL.format(options=options, volume=volume, version=version)


@dataclass
class Workplace:
    """A workspace on some machine."""

    root: Path
    plane: Plane
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, manifest: str) -> None:
        """Say what should exist."""
        self.root.mkdir(exist_ok=True)
        (self.root / "tinystories.toml").write_text(manifest)

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Call ``tsws`` and do not wait."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tsws", *words],
            cwd=self.root,
            env=os.environ | self.plane.environment | {"OMP_NUM_THREADS": "1", "NO_COLOR": "1"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        return process

    def run(self, *words: str, status: int = 0, **environment: str) -> str:
        """Call ``tsws``; what it printed, when it ends with the status that is expected."""
        process = self.start(*words, **environment)
        said, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == status, said
        return said

    def close(self) -> None:
        """End whoever still works."""
        for process in self.processes:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    @property
    def digest(self) -> str:
        """Of the model that came home."""
        return sha256_file(self.root / MODEL)

    def events(self) -> list[Event]:
        """All that the run's last job said, from the beginning."""
        active = active_job(self.root, "run.small")
        assert active is not None
        return list(backend_of(active, load_plugins(), self.root).attach(active.handle))


def steps_said(events: list[Event]) -> list[int]:
    """The steps of the training lines."""
    return [event.step for event in events if isinstance(event, Metric) and "train_loss" in event.values]


def files_on(plane: Plane, volume: str) -> list[str]:
    """The paths of what is committed on a volume of the plane."""
    found = plane.volumes.named(volume)
    return [path for path, entry in found.tree if isinstance(entry, File)] if found is not None else []


def turns(plane: Plane, volume: str) -> int:
    """How many containers have had the lease of the run."""
    return sum(
        path.startswith(".tsws/leases/run.small/") and path.endswith(".json") for path in files_on(plane, volume)
    )


def jobs(plane: Plane, volume: str) -> set[str]:
    """The jobs that were ever launched in a volume."""
    return {path.split("/")[2] for path in files_on(plane, volume) if path.startswith(".tsws/jobs/")}


def wait_for(condition: Callable[[], bool], *, what: str = "it") -> None:
    """Until something is the case."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} never came to be"
        time.sleep(0.02)
