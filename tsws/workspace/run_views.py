"""Runs as people look at them: found by name, version or file, with their numbers and stories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tsws.errors import TswsError, UsageError
from tsws.io.sizes import format_bytes, format_dollars
from tsws.reconcile.record import Record
from tsws.reconcile.store import Intent, read_intent, read_record
from tsws.report.run_view import RunView, flat
from tsws.resources.memory import MEMORY
from tsws.resources.remote import RemoteRunRule, assignment_of
from tsws.resources.run import tokenizer_of
from tsws.resources.sourcing import as_list
from tsws.resources.volume import open_volume
from tsws.train.lines import decode_lines, read_lines
from tsws.train.metrics import METRICS_FILE
from tsws.train.samples import SAMPLES_FILE
from tsws.workspace import history
from tsws.workspace.context import Context
from tsws.workspace.machines import backend_of_run


def view_of_file(path: Path) -> RunView:
    """A run of which there are only its files: ``metrics.jsonl``, or the folder with it.

    Raises:
        UsageError: there are no metrics.
        OSError: a file can not be read.
    """
    file = path / METRICS_FILE if path.is_dir() else path
    lines = read_lines(file)
    if not lines or "step" not in lines[0]:
        raise UsageError(
            f"{file} holds no metrics of a run", hint="name a run of the manifest, a metrics.jsonl or its folder"
        )
    return RunView(label=str(path), lines=lines, samples=read_lines(file.with_name(SAMPLES_FILE)))


def view_of_run(context: Context, name: str) -> RunView:
    """A version of a run.

    Args:
        context: the workspace.
        name: ``baby`` or ``run.baby``: the version whose results stand, or else the one that was begun last;
            ``baby@3f2a``: the version whose name begins so, of those that ``tsws runs`` lists.

    Raises:
        TswsError: there is no such run or version, or it has not been started.
    """
    run, _, prefix = name.removeprefix("run.").partition("@")
    address = f"run.{run}"
    resource = context.expansion.graph[address]
    found = [one for one in history.versions(context) if one.run == address]
    if not found:
        raise TswsError(f"{address} has not been started", hint=f"`tsws apply {address}` trains it")
    if prefix:
        matching = [one for one in found if one.fingerprint.startswith(prefix)]
        if len(matching) != 1:
            known = ", ".join(one.fingerprint for one in found)
            what = "no version" if not matching else "more than one version"
            raise UsageError(f"{what} of {address} begins with {prefix!r}", hint=f"its versions: {known}")
        (version,) = matching
    else:
        version = next((one for one in found if one.current), found[-1])
    files = _Files(context, resource.rule, run, version.fingerprint)
    record, intent = files.record(), files.intent()
    return RunView(
        label=f"{run}@{version.fingerprint}" if prefix else run,
        lines=decode_lines(files.read(METRICS_FILE)),
        samples=decode_lines(files.read(SAMPLES_FILE)),
        settings=flat(version.identity),
        facts=_facts(context, run, version, record, intent),
    )


class _Files:
    """The files of a version, wherever they lie."""

    def __init__(self, context: Context, rule: Any, run: str, fingerprint: str) -> None:
        self._place = f".tsws/runs/{run}/{fingerprint}"
        self._root, self._volume = context.root, None
        if isinstance(rule, RemoteRunRule):
            _, store = rule.there()
            self._root = store.root
            volume = assignment_of(run, context.manifest, context.data).volume
            opened = open_volume(volume, context.plugins, context.root) if volume else None
            if opened is not None and opened.local_path() is None:
                self._volume = opened

    def read(self, name: str) -> bytes:
        """A file that grows while the run goes on; empty where there is none."""
        if self._volume is not None:  # what is known of it here are only its records
            path = f"{self._place}/{name}"
            return b"".join(self._volume.read(path)) if self._volume.stat(path) is not None else b""
        path_here = self._root / self._place / name
        return path_here.read_bytes() if path_here.is_file() else b""

    def record(self) -> Record | None:
        """Of the finished version."""
        return read_record(self._root / self._place / "record.json")

    def intent(self) -> Intent | None:
        """What it was begun for."""
        return read_intent(self._root / self._place / "intent.json")


def _facts(
    context: Context, run: str, version: history.RunVersion, record: Record | None, intent: Intent | None
) -> dict[str, str]:
    """What there is to say of a version beside its settings and its numbers."""
    spec = context.manifest.run[run]
    source = context.manifest.dataset[spec.dataset].source
    digests = record.inputs if record else intent.inputs if intent else {}
    facts = {"version": version.fingerprint, "state": "finished" if version.finished else "unfinished"}
    facts["data"] = (
        f"{spec.dataset} ({', '.join(as_list(source))}), in the tokens of {tokenizer_of(spec, context.manifest)}"
    )
    facts["digests"] = ", ".join(f"{address} {digest[:12]}" for address, digest in digests.items())
    facts["where"] = spec.backend + (f", in volume {spec.volume}" if spec.volume else "")
    if record is not None:
        machine = record.notes.get("machine") or {}
        facts["host"] = str(record.origin.get("host", ""))
        facts |= {key: str(value) for key, value in machine.items()}
        if memory := record.notes.get(MEMORY):
            facts["memory"] = f"{format_bytes(memory['peak'])} of a process at its peak"
        facts["made with"] = f"tsws {record.origin.get('tsws', '')}"
    facts["cost"] = _cost(context, run, version.seconds)
    return {key: value for key, value in facts.items() if value}


def _cost(context: Context, run: str, seconds: float | None) -> str:
    """What the time of its training costs where it is trained."""
    price = backend_of_run(context, run).price()
    if price is None:
        return ""
    hourly = f"{f'{price.machine}, ' if price.machine else ''}{price.dollars_per_hour:.2f} $/h"
    if seconds is None:
        return hourly
    return f"about {format_dollars(price.dollars_per_hour * seconds / 3600)} of training at {hourly} ({price.source})"
