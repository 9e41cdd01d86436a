"""Another process that uses a backend, for the backends' suite: ``python -m tsws.testing.client REQUEST.json``."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from tsws.job import Event, Handle, Job, decode_event, encode_event
from tsws.plugin import Backend, Volume


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """How to make a backend or a volume again."""

    module: str
    file: str
    qualname: str
    name: str
    options: Any
    base: str

    @classmethod
    def of(cls, thing: Backend | Volume) -> Made:
        """How this one was made."""
        kind = type(thing)
        return cls(
            module=kind.__module__,
            file=inspect.getfile(kind),
            qualname=kind.__qualname__,
            name=thing.table if isinstance(thing, Backend) else thing.name,
            options=msgspec.to_builtins(thing.options),
            base=str(thing.base),
        )

    def again(self) -> Any:
        """A new one, of the same class with the same options."""
        try:
            module = importlib.import_module(self.module)
        except ModuleNotFoundError:  # a test module, which pytest names as it likes
            spec = importlib.util.spec_from_file_location(self.module, self.file)
            if spec is None or spec.loader is None:
                raise
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        kind: Any = module
        for name in self.qualname.split("."):
            kind = getattr(kind, name)
        return kind(self.name, msgspec.convert(self.options, kind.Options), Path(self.base))


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the other process is to do: launch a job, or follow one."""

    path: list[str]
    """``sys.path``."""
    backend: Made
    volume: Made | None = None
    launch: Job | None = None
    attach: Handle | None = None
    after: int = 0


def launch_and_die(backend: Backend, volume: Volume | None, job: Job, folder: Path) -> Handle:
    """Launch a job from another process, which is then killed at once."""
    made = None if volume is None else Made.of(volume)
    process = _call(Request(path=sys.path, backend=Made.of(backend), volume=made, launch=job), folder)
    if process.returncode != -signal.SIGKILL:
        raise AssertionError(f"launching failed in another process:\n{process.stderr.decode()}")
    return msgspec.json.decode(process.stdout, type=Handle)


def attach_elsewhere(backend: Backend, handle: Handle, after: int, folder: Path) -> list[Event]:
    """All events of a job from ``after`` on, as another process gets them."""
    process = _call(Request(path=sys.path, backend=Made.of(backend), attach=handle, after=after), folder)
    if process.returncode != 0:
        raise AssertionError(f"following failed in another process:\n{process.stderr.decode()}")
    return [decode_event(line) for line in process.stdout.splitlines()]


def _call(request: Request, folder: Path) -> subprocess.CompletedProcess[bytes]:
    file = folder / "request.json"
    file.write_bytes(msgspec.json.encode(request))
    command = [sys.executable, "-m", "tsws.testing.client", str(file)]
    return subprocess.run(command, capture_output=True, check=False, timeout=120)


def _answer(request: Request) -> None:
    sys.path[:] = request.path
    backend: Backend = request.backend.again()
    if request.launch is not None:
        volume: Volume | None = None if request.volume is None else request.volume.again()
        _write(msgspec.json.encode(backend.launch(request.launch, volume)))
        os.kill(os.getpid(), signal.SIGKILL)
    if request.attach is not None:
        for event in backend.attach(request.attach, request.after):
            _write(encode_event(event) + b"\n")


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _answer(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Request))
