"""What a local job leaves on disk, read back: its events, its verdict, its log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from tsws.io.atomic import write_bytes
from tsws.job import Done, Event, Failed, JobStatus, Log, decode_event, decode_job

JOB = "job.json"
EVENTS = "events.jsonl"
LOG = "worker.log"
PROCESS = "worker.json"

_LAST_EVENT = 1 << 16
"""Bytes at the end of the events in which the last event lies: a failure's message is far shorter."""
_LAST_WORDS = 4000
"""Bytes of the log that are worth showing: a traceback of common size."""


def keep_process(folder: Path, data: dict[str, Any]) -> None:
    """Note down a job's process, as its handle has it."""
    write_bytes(folder / PROCESS, msgspec.json.encode(data))


def process_of(folder: Path) -> dict[str, Any] | None:
    """What :func:`keep_process` noted down; None when nobody came so far."""
    try:
        return msgspec.json.decode((folder / PROCESS).read_bytes(), type=dict[str, Any])
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def address_of(folder: Path) -> str:
    """The job's own address; empty when there is no such job."""
    try:
        return decode_job((folder / JOB).read_bytes()).address
    except (FileNotFoundError, msgspec.DecodeError):
        return ""


def event_of(line: bytes, address: str) -> Event:
    """The event of a line. A line of a newer version still counts as one event, so that positions stay true."""
    try:
        return decode_event(line)
    except msgspec.DecodeError as error:
        return Log(address=address, level="warning", message=f"the worker said something unknown here: {error}")


def is_last(event: Event, address: str) -> bool:
    """Whether the worker says nothing more after this event."""
    return isinstance(event, Done | Failed) and event.address == address


def verdict(folder: Path) -> JobStatus | None:
    """How the job ended by the worker's own words; None while it has not said."""
    address = address_of(folder)
    complete, newline, _torn = _tail(folder / EVENTS, _LAST_EVENT).rpartition(b"\n")
    if not address or not newline:
        return None
    event = event_of(complete.rpartition(b"\n")[2], address)
    if not is_last(event, address):
        return None
    return JobStatus.DONE if isinstance(event, Done) else JobStatus.FAILED


def log_tail(folder: Path) -> str:
    """The end of what the worker printed; empty when it printed nothing."""
    data = _tail(folder / LOG, _LAST_WORDS)
    if len(data) == _LAST_WORDS:  # begin with a whole line
        data = data.partition(b"\n")[2] or data
    return data.decode(errors="replace").strip()


def _tail(path: Path, size: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read(size)
    except FileNotFoundError:
        return b""
