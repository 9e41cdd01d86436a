"""A small workspace that fetches, tokenizes, trains, exports and builds, and ways to kill what works in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fixtures.hub import HubServer
from tsws.io.digest import sha256_file
from tsws.resources.active_jobs import active_job
from tsws.text.toy_stories import story

STORIES = 600
PATIENCE = 120.0
"""Seconds that anything here may take; these machines are shared."""

MANIFEST = """
[workspace]
default = ["run.small"]

[dataset.fetched]
source = "{url}"

[tokenizer.words]
train = "fetched"
vocab_size = 340

[model.small]
dim = 16
n_layers = 2
n_heads = 2
max_seq_len = 32

[run.small]
model = "small"
dataset = "fetched"
tokenizer = "words"
max_iters = 60
batch_size = 4
eval_interval = 20
eval_tokens = 1024
checkpoint_interval = 5
threads = 1
sample_prompt = ""
"""

OUTCOMES = (
    "out/small/model.bin",
    "words.model",
    "words.bin",
    "data/fetched/words/data00.bin",
    "data/fetched/words/data01.bin",
)


@dataclass
class Workplace:
    """A workspace on disk, and the processes that work in it."""

    root: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        """``tsws apply`` as a process of its own."""
        log = open(self.root / "apply.log", "ab")  # noqa: SIM115  the process keeps it
        process = subprocess.Popen(
            [sys.executable, "-m", "tsws", "apply", "-y"],
            cwd=self.root,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
        log.close()
        self.processes.append(process)
        return process

    def finish(self) -> None:
        """Apply to the end."""
        process = self.start()
        assert process.wait(PATIENCE) == 0, (self.root / "apply.log").read_text()

    def outcome(self) -> dict[str, str]:
        """Digests of everything that was made."""
        return {path: sha256_file(self.root / path) for path in OUTCOMES}

    def losses(self) -> list[str]:
        """The loss lines, without what depends on the clock."""
        import json

        lines = map(json.loads, (self.root / "out/small/metrics.jsonl").read_text().splitlines())
        return [json.dumps({k: line[k] for k in ("step", "train_loss", "val_loss") if k in line}) for line in lines]

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL, without a chance to do anything."""
        process.kill()
        process.wait()

    def kill_worker(self) -> None:
        """SIGKILL for the worker of the run.

        Raises:
            ProcessLookupError: it has ended, or not begun: a job is on record before it has a process.
        """
        active = active_job(self.root, "run.small")
        assert active is not None
        if not active.handle.data.get("pid"):
            raise ProcessLookupError(f"no process yet: {active.handle}")
        os.kill(active.handle.data["pid"], signal.SIGKILL)


def wait_for(condition: Callable[[], bool]) -> None:
    """Until something is the case."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.005)


@pytest.fixture(scope="session")
def text() -> bytes:
    """Stories to fetch."""
    return "".join(f"{story(0, index).text}\n<|endoftext|>\n" for index in range(STORIES)).encode()


@pytest.fixture
def hub(text: bytes) -> Iterator[HubServer]:
    """A server that has the stories."""
    with HubServer() as server:
        server.add("stories.txt", text)
        yield server


@pytest.fixture
def workplace(tmp_path: Path, hub: HubServer) -> Iterator[Workplace]:
    """A fresh workspace."""
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "tinystories.toml").write_text(MANIFEST.format(url=f"{hub.url}/stories.txt"))
    place = Workplace(root)
    yield place
    for process in place.processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> Workplace:
    """What an apply gives that nobody kills."""
    root = tmp_path_factory.mktemp("undisturbed")
    with HubServer() as server:
        server.add("stories.txt", text)
        (root / "tinystories.toml").write_text(MANIFEST.format(url=f"{server.url}/stories.txt"))
        place = Workplace(root)
        place.finish()
    return place
