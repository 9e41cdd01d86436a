"""An app of small functions, each for one thing that the plane has to do. Imported by the tests' clients, never by the tests."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import modal

volume = modal.Volume.from_name("counts", create_if_missing=True, version=2)
app = modal.App("jobs", image=modal.Image.debian_slim().env({"FROM_IMAGE": "yes"}))
COUNT = Path("/data/count")


@app.function(secrets=[modal.Secret.from_dict({"FROM_SECRET": "yes"})], cpu=2.0)
def look() -> dict[str, object]:
    """What a container sees."""
    names = ("FROM_IMAGE", "FROM_SECRET", "OMP_NUM_THREADS", "MODAL_TASK_ID", "MODAL_TOKEN_ID")
    try:
        import tsws  # noqa: F401

        found = True
    except ImportError:
        found = False
    print("looking")
    return {
        "environment": {name: os.environ.get(name) for name in names},
        "home": sorted(path.name for path in Path("/root").glob("*.py")),
        "tmp": [path.name for path in Path("/tmp").iterdir()],
        "pid": os.getpid(),
        "tsws": found,
    }


@app.function()
def double(number: int) -> int:
    """Something quick."""
    return 2 * number


@app.function()
def spawn_double(number: int) -> int:
    """A call from inside of a container."""
    call = double.spawn(number)
    return call.get()


@app.function(volumes={"/data": volume}, timeout=600)
def count(until: int, pause: float = 0.05) -> list[int]:
    """Counts on from where the volume says; returns the numbers that this container counted."""
    number = int(COUNT.read_text()) if COUNT.exists() else 0
    counted = []
    print(f"from {number}")
    try:
        while number < until:
            number += 1
            COUNT.write_text(str(number))
            volume.commit()
            counted.append(number)
            print(f"at {number}")
            time.sleep(pause)
    except KeyboardInterrupt:
        print(f"interrupted at {number}")
        raise
    return counted


@app.function(timeout=1)
def too_slow() -> None:
    """Meets its time-out."""
    time.sleep(60)


@app.function(timeout=600)
def sleep() -> None:
    """Waits to be cancelled."""
    print("asleep")
    time.sleep(60)


@app.function(timeout=600)
def exit_hard() -> None:
    """Breaks its container."""
    os._exit(3)


@app.function(retries=modal.Retries(max_retries=2, initial_delay=0.0, backoff_coefficient=1.0))
def fail(message: str) -> None:
    """Fails every time."""
    print(f"failing: {message}")
    raise ValueError(message)


@app.function(gpu=["H100", "T4"])
def on_gpu() -> str:
    """Asks for a GPU; has none, of course."""
    return os.environ["MODAL_TASK_ID"]


@app.function()
def numbers(until: int) -> Iterator[int]:
    """Yields."""
    yield from range(until)


@app.function(volumes={"/data": volume}, timeout=600)
@modal.clustered(size=2)
def together() -> tuple[int, int]:
    """Runs on two containers at once."""
    info = modal.get_cluster_info() if hasattr(modal, "get_cluster_info") else modal.experimental.get_cluster_info()
    print(f"rank {info.rank}")
    return info.rank, len(info.container_ips)
