"""The plain data that travels between a client, a backend and a worker."""

from __future__ import annotations

import enum
from typing import Any, Literal

import msgspec


class VolumeRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which volume a job works in: enough to open it anywhere."""

    name: str
    kind: str
    options: dict[str, Any] = {}


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """Stories to be told by a model that lies in the job's workspace."""

    run: str
    """The run whose model it is."""
    prompt: str = ""
    temperature: float = 1.0
    top_p: float = 0.9
    steps: int = 256
    """Tokens at most; 0: as many as the context holds."""
    seeds: tuple[int, ...] = (1,)
    """One story each."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be found out about a model."""

    tokens: int | None = None
    """To predict; 0: all; None: as many as the run itself is evaluated on, or a text's first million."""
    stories: int = 64
    """To tell; 0: none."""
    prompt: str = ""
    temperature: float = 1.0
    top_p: float = 0.9
    steps: int = 0
    """Tokens of a story at most; 0: as many as the context holds."""
    seed: int = 1
    """Of the first story."""
    engine: Literal["auto", "native", "torch"] = "auto"


class Evaluating(msgspec.Struct, frozen=True, kw_only=True):
    """A model that lies in the job's workspace is to be evaluated."""

    run: str
    """The run whose model it is."""
    asked: Asked


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work for one worker. Immutable, JSON all the way down."""

    id: str
    """Unique, sortable by time, safe as a file name."""
    address: str
    """The resource that the job is for, such as ``run.baby``."""
    targets: tuple[str, ...]
    """The addresses that the worker brings up to date, the run's own among them."""
    fingerprint: str
    """Of the wanted run; lets a later client tell whether a job in flight is still the wanted one.
    Empty when it depends on inputs that only exist after the job."""
    manifest: dict[str, Any]
    """The part of the manifest that the targets need, as TOML-able data."""
    replace: tuple[str, ...] = ()
    """Addresses that the worker makes anew whatever their records say."""
    pins: dict[str, Any] = {}
    """The part of ``tinystories.lock`` that the targets need."""
    root: str | None = None
    """Absolute path of the workspace when the worker works in place; None with a volume."""
    volume: VolumeRef | None = None
    """The volume to mount or fill and work in; None when the worker works in place."""
    options: dict[str, Any] = {}
    """The backend's own table (gpu, cpu, memory, timeout...), validated by its ``Options``."""
    prepare: tuple[str, ...] = ()
    """Addresses that the targets need, that are not there yet, and that no accelerator helps with (data to fetch, text to
    tokenize). A backend may have them made first by a cheaper machine, with the same job but for its targets."""
    max_cost: float | None = None
    """Dollars at which the job is to be stopped, after a checkpoint; None: no limit."""
    telling: Telling | None = None
    """Stories to tell, when the targets are made."""
    evaluating: Evaluating | None = None
    """A model to evaluate, when the targets are made."""

    @property
    def is_question(self) -> bool:
        """Whether a model is asked something, and none is trained: no accelerator is needed for that."""
        return self.telling is not None or self.evaluating is not None


class Handle(msgspec.Struct, frozen=True, kw_only=True):
    """How to find a launched job again, from any process: plain data, kept in state at once."""

    backend: str
    """Name of the ``[backend.*]`` table (or of the backend itself)."""
    job: str
    """``Job.id``."""
    data: dict[str, Any] = {}
    """Whatever the backend needs (process id, call id, paths)."""


class JobStatus(enum.Enum):
    """What a backend knows about a job."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"
    """It ended without a last word (killed, machine lost) or was never there: start again."""


def encode_job(job: Job) -> bytes:
    """The job as JSON, for a file or a wire."""
    return msgspec.json.format(msgspec.json.encode(job), indent=1)


def decode_job(data: bytes) -> Job:
    """The inverse of :func:`encode_job`.

    Raises:
        msgspec.DecodeError: not a job.
    """
    return msgspec.json.decode(data, type=Job)
