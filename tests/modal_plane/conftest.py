"""A plane, and clients that talk to it, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modal_plane.plane import Plane

SAMPLES = Path(__file__).parent / "samples"


class Client:
    """Runs Python code against a plane, with ``samples/`` to import from."""

    def __init__(self, plane: Plane, folder: Path) -> None:
        self._plane = plane
        self._folder = folder
        self._started: list[subprocess.Popen[str]] = []

    def start(self, code: str, **environment: str) -> subprocess.Popen[str]:
        """Start a client; its two outputs are one."""
        return self._start(code, environment, subprocess.STDOUT)

    def _start(self, code: str, environment: dict[str, str], stderr: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=os.environ | self._plane.environment | {"PYTHONPATH": str(SAMPLES)} | environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        self._started.append(process)
        return process

    def run(self, code: str, **environment: str) -> str:
        """What a client printed, until it ended; one that succeeded may warn of its own hurry to the end."""
        process = self._start(code, environment, subprocess.PIPE)
        output, complaints = process.communicate(timeout=100)
        return output if process.returncode == 0 else output + complaints

    def error(self, code: str, **environment: str) -> str:
        """The last line of what a client printed: of a traceback, the exception."""
        return self.run(code, **environment).rstrip().splitlines()[-1]

    def deploy(self) -> None:
        """Deploy the samples."""
        assert self.run("import jobs; jobs.app.deploy()") == ""

    def spawn(self, function: str, *arguments: object) -> str:
        """Spawn a call of a deployed sample; its id."""
        given = ", ".join(map(repr, arguments))
        return self.run(
            f"import modal; print(modal.Function.from_name('jobs', {function!r}).spawn({given}).object_id)"
        ).strip()

    def get(self, call_id: str) -> str:
        """The result of a call, or its error."""
        return self.error(f"import modal; print(modal.FunctionCall.from_id({call_id!r}).get(timeout=50))")

    def close(self) -> None:
        """End those that still run."""
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    """A fresh one."""
    with Plane(tmp_path / "modal") as plane:
        yield plane


@pytest.fixture
def client(plane: Plane, tmp_path: Path) -> Iterator[Client]:
    """Clients of the plane."""
    client = Client(plane, tmp_path)
    yield client
    client.close()


@pytest.fixture
def interpreter_in_tmp() -> list[str]:
    """What a container sees in ``/tmp``: nothing, unless the interpreter itself lives there and was bound back in."""
    prefix = Path(sys.prefix)
    return [prefix.parts[2]] if prefix.is_relative_to("/tmp") else []
