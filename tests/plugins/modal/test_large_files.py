"""2 GB up and down: in a bounded memory, and after a cut without sending again what had arrived."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from tests.modal_plane.blobs import Blobs
from tests.modal_plane.plane import Plane

pytestmark = pytest.mark.marathon

SIZE = 2_000_000_000
"""Bytes."""
LIMIT = 200_000_000
"""Bytes of memory that tsws may have at its peak, the interpreter and Modal's client included."""
BLOCK = 8 << 20
CHILD = """
import json, re, resource, sys
from pathlib import Path
from tsws import Workspace
workspace = Workspace.open(Path.cwd())
workspace.sync(**{sys.argv[1]: ["out/model.bin"]})
status = Path("/proc/self/status")
found = re.search(r"VmHWM:\\s+([0-9]+)", status.read_text()) if status.exists() else None
print(json.dumps(1024 * (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)))
"""
"""Linux counts the memory of whoever started a process to the process's ``ru_maxrss``, and that is a test with torch in it."""

Child = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def blobs(plane: Plane) -> Iterator[Blobs]:
    blobs = plane.state.part(Blobs)
    yield blobs
    blobs.up.mend()
    blobs.down.mend()


@pytest.fixture
def child(plane: Plane) -> Child:
    """Starts ``tsws sync`` of the model in a process of its own that says at its end how much memory it had."""

    def start(verb: str, root: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", CHILD, verb],
            cwd=root,
            env={**os.environ, **plane.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def finished(process: subprocess.Popen[str]) -> int:
    """The memory at the peak of a process that ends well, in bytes."""
    out, err = process.communicate(timeout=900)
    assert (process.returncode, err) == (0, "")
    return int(json.loads(out))


def workspace(root: Path) -> Path:
    (root / "out").mkdir(parents=True)
    (root / "tinystories.toml").write_text('[volume.large]\nkind = "modal"\n')
    return root


def test_two_gigabytes(child: Child, blobs: Blobs, tmp_path: Path) -> None:
    here, there = workspace(tmp_path / "here"), workspace(tmp_path / "there")
    digest = write_random(here / "out" / "model.bin")

    killed = child("push", here)
    kill_at(killed, blobs, "up", SIZE // 2)
    arrived = blobs.up.bytes
    peak = finished(child("push", here))
    print(f"up: {peak / 1e6:.0f} MB at the peak")
    assert peak < LIMIT
    # Blocks that were under way when it was killed had not arrived.
    assert blobs.up.bytes - SIZE <= 16 * BLOCK < arrived

    blobs.down.cut_at = SIZE // 2
    broken = child("pull", there)
    _, err = broken.communicate(timeout=900)
    assert broken.returncode == 1
    assert "volume large: can not read out/model.bin: the connection to Modal broke: " in err
    blobs.down.mend()
    peak = finished(child("pull", there))
    print(f"down: {peak / 1e6:.0f} MB at the peak")
    assert peak < LIMIT
    assert blobs.down.bytes - SIZE <= 2 * BLOCK
    with (there / "out" / "model.bin").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == digest


def write_random(path: Path) -> str:
    """A file that no block is in twice; its digest."""
    digest = hashlib.sha256()
    piece = os.urandom(BLOCK - 8)
    with path.open("wb") as file:
        for number in range(SIZE // BLOCK + 1):
            block = (number.to_bytes(8, "big") + piece)[: SIZE - file.tell()]
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def kill_at(process: subprocess.Popen[str], blobs: Blobs, line: str, count: int) -> None:
    """Kill a process when so many bytes have gone over a line."""
    reached = Event()

    def look(total: int) -> None:
        if total >= count and not reached.is_set():
            process.send_signal(signal.SIGKILL)
            reached.set()

    getattr(blobs, line).on_bytes = look
    assert reached.wait(timeout=600)
    process.communicate()
    getattr(blobs, line).mend()
