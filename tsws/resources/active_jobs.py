"""The jobs that a workspace knows of: one record a resource, written before anything is awaited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tsws.errors import FormatError, PluginError
from tsws.io.atomic import write_bytes
from tsws.job import Handle, Job
from tsws.plugin import Backend, Plugins
from tsws.resources.volume import options_of


class ActiveJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job in flight, as the workspace's state has it."""

    address: str
    handle: Handle
    wanted: str
    """Digest of what the job is to make: another one means that the job is no longer wanted."""
    launched_at: float
    kind: str | None = None
    """Of the backend that runs it; None in records of older versions."""
    options: dict[str, Any] = {}
    """Of that backend. Kept, as the manifest may say something else by the time that somebody comes back."""
    ended: bool = False
    """It is over; kept so that its log can be read."""
    intent: Job | None = None
    """The job while it is being launched, before its handle is known. A client that dies then leaves this: the next one
    launches the very same job again, which starts nothing twice."""


def jobs_folder(root: Path) -> Path:
    """Where jobs in flight are recorded."""
    return root / ".tsws" / "jobs"


def active_job(root: Path, address: str) -> ActiveJob | None:
    """The job in flight for a resource, or None.

    Raises:
        FormatError: its record is damaged.
    """
    path = _path(root, address)
    try:
        return msgspec.json.decode(path.read_bytes(), type=ActiveJob)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise FormatError(f"{path} is damaged ({error})", hint="remove the file once no worker runs") from None


def keep_job(root: Path, job: ActiveJob) -> None:
    """Write the record of a job, for whoever comes next."""
    write_bytes(_path(root, job.address), msgspec.json.format(msgspec.json.encode(job), indent=1))


def forget_job(root: Path, address: str) -> None:
    """Remove the record of a resource's job."""
    _path(root, address).unlink(missing_ok=True)


def backend_of(job: ActiveJob, plugins: Plugins, root: Path) -> Backend:
    """The backend that a job was launched on, whatever the manifest says by now.

    Raises:
        PluginError: no plugin provides it any more.
    """
    return open_backend(job.handle.backend, job.kind or job.handle.backend, job.options, plugins, root)


def open_backend(name: str, kind: str, options: dict[str, Any], plugins: Plugins, root: Path) -> Backend:
    """The backend of a table.

    Raises:
        PluginError: no plugin provides it, or it needs a key that its table does not have.
    """
    found = plugins.backends.get(kind)
    if found is None:
        message, hint = missing_backend(kind, plugins)
        raise PluginError(message, hint=hint)
    return found(name, options_of(f"backend.{name}", options, found.Options), root)


def missing_backend(kind: str, plugins: Plugins) -> tuple[str, str]:
    """What to say about a backend that nobody provides, and the hint."""
    known = ", ".join(sorted(plugins.backends)) or "none"
    return (
        f"no plugin provides the backend {kind!r}",
        f"install the plugin that has it, or choose another backend (known: {known}); `tsws plugins` lists them",
    )


def _path(root: Path, address: str) -> Path:
    return jobs_folder(root) / f"{address}.json"
