"""Deciding what to do with one resource. Pure: values in, a value out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from tsws.io.digest import digest_value
from tsws.reconcile.action import Action, Change, FieldChange
from tsws.reconcile.facts import Facts, FileState, Probe, Version
from tsws.reconcile.record import Record, fingerprint, kind_of, short
from tsws.reconcile.resource import Resource
from tsws.reconcile.store import FOLDER

_UNSET = object()


@dataclass(frozen=True)
class InputState:
    """What a dependant knows of one of its inputs."""

    change: Change
    digest: str | None
    """Of its outputs; None while they are going to be made and may differ."""


ABSENT = "up to date; files that nothing needs now are absent"
"""The reason of an intermediate that is kept although its files are gone."""


ELSEWHERE = "made already, in another place"
"""The reason of something that is kept because its like exists elsewhere."""


def decide(
    resource: Resource, facts: Facts, inputs: Mapping[str, InputState], *, replaced: bool = False, demanded: bool = True
) -> Action:
    """The action for one resource.

    Args:
        resource: what is wanted.
        facts: what is the case.
        inputs: what is known of everything the resource needs, by address.
        replaced: a person asked to make it anew whatever its record says.
        demanded: False when its files may be absent (an intermediate that is nobody's target).
    """
    blocked = _blocked(resource, facts, inputs)
    if blocked is not None:
        return blocked
    waiting = [address for address, state in inputs.items() if state.change.acts]
    if facts.probe is not None:
        return _probed(resource, facts.probe, waiting, replaced=replaced)
    unknown = [address for address in resource.inputs if inputs[address].digest is None]
    if unknown:
        return _undecided(resource, facts, inputs, unknown, replaced=replaced)
    return _decided(resource, facts, inputs, replaced=replaced, demanded=demanded)


def digest_after(action: Action, facts: Facts) -> str | None:
    """What dependants will see after an action; None when it may be new."""
    if facts.probe is not None:
        return facts.probe.digest
    same = facts.record is not None and action.fingerprint == facts.record.fingerprint
    if same and facts.record is not None and action.change in {Change.KEEP, Change.REPAIR}:
        return facts.record.digest
    if action.change is Change.KEEP and facts.elsewhere is not None:
        return facts.elsewhere.digest
    if action.change is Change.RESTORE:
        kept = next((version for version in facts.versions if version.fingerprint == action.version), None)
        if kept is not None and kept.record is not None:
            return kept.record.digest
    return None


def wanted_fingerprint(resource: Resource, facts: Facts, inputs: Mapping[str, str]) -> str:
    """The fingerprint that a resource should have, given its inputs' digests."""
    return fingerprint(
        kind=resource.kind,
        rule=resource.rule.version,
        identity=resource.identity,
        sources=facts.sources,
        inputs=[(kind_of(address), inputs[address]) for address in resource.inputs],
    )


def _blocked(resource: Resource, facts: Facts, inputs: Mapping[str, InputState]) -> Action | None:
    if resource.blocked is not None:
        return Action(resource.address, Change.BLOCKED, resource.blocked, hint=resource.blocked_hint)
    for address, state in inputs.items():
        if state.change is Change.BLOCKED:
            return Action(resource.address, Change.BLOCKED, f"needs {address}, which is blocked")
    if facts.missing_sources:
        names = ", ".join(facts.missing_sources)
        return Action(
            resource.address,
            Change.BLOCKED,
            f"no file matches {names}",
            hint="put the file there, or correct `source` in the manifest",
        )
    return None


def _probed(resource: Resource, probe: Probe, waiting: list[str], *, replaced: bool) -> Action:
    if replaced and probe.change is not Change.BLOCKED:
        return Action(resource.address, Change.UPDATE, "replacement was asked for", parts=probe.parts, anew=True)
    if waiting:
        return Action(resource.address, Change.PENDING, f"after {_names(waiting)}")
    return Action(resource.address, probe.change, probe.reason, parts=probe.parts, hint=probe.hint)


def _undecided(
    resource: Resource, facts: Facts, inputs: Mapping[str, InputState], unknown: list[str], *, replaced: bool
) -> Action:
    """An input is going to be made: certain only about what does not depend on it."""
    record = facts.record
    if record is None:
        return Action(resource.address, Change.CREATE, "does not exist yet", anew=replaced)
    if replaced:
        return Action(resource.address, Change.UPDATE, "replacement was asked for", anew=True)
    known = {address: digest for address in resource.inputs if (digest := inputs[address].digest) is not None}
    fields = tuple(_changes(resource, facts, record, known))
    verbs = ", ".join(f"{address} ({inputs[address].change.value})" for address in unknown)
    if fields:
        return Action(resource.address, Change.UPDATE, _summary(fields), fields=fields)
    return Action(resource.address, Change.PENDING, f"decided once its input is known: {verbs}")


def _decided(
    resource: Resource, facts: Facts, inputs: Mapping[str, InputState], *, replaced: bool, demanded: bool
) -> Action:
    digests = {address: inputs[address].digest or "" for address in resource.inputs}
    wanted = wanted_fingerprint(resource, facts, digests)
    if replaced:
        change = Change.CREATE if facts.record is None else Change.UPDATE
        return Action(resource.address, change, "replacement was asked for", fingerprint=wanted, anew=True)
    record = facts.record
    if record is not None and record.fingerprint == wanted:
        return _same(resource, facts, record, demanded=demanded)
    kept = _version(facts, wanted)
    fields = tuple(_changes(resource, facts, record, digests)) if record is not None else ()
    if kept is not None and kept.record is not None and kept.intact and not _displaced(resource, kept.record):
        return Action(
            resource.address,
            Change.RESTORE,
            f"version {kept.fingerprint} was made before and is put back",
            fields=fields,
            fingerprint=wanted,
            version=kept.fingerprint,
        )
    if facts.elsewhere is not None and facts.elsewhere.fingerprint == wanted:
        return Action(resource.address, Change.KEEP, ELSEWHERE, fingerprint=wanted)
    return _make(resource, facts, digests, fields, kept, wanted)


def _make(
    resource: Resource,
    facts: Facts,
    inputs: Mapping[str, str],
    fields: tuple[FieldChange, ...],
    unfinished: Version | None,
    wanted: str,
) -> Action:
    change = Change.CREATE if facts.record is None else Change.UPDATE
    reason = _summary(fields) if fields else "does not exist yet"
    if unfinished is not None and unfinished.progress:
        progress = ", ".join(f"{name} {value}" for name, value in unfinished.progress.items() if _plain(value))
        return Action(resource.address, change, f"{reason}; continues at {progress}", fields, wanted)
    continued = resource.rule.continues(resource, _comparable(resource, facts, inputs))
    if continued is not None:
        version, how = continued
        return Action(resource.address, Change.EXTEND, how, fields, wanted, version.fingerprint)
    return Action(resource.address, change, reason, fields, wanted)


def _same(resource: Resource, facts: Facts, record: Record, *, demanded: bool) -> Action:
    """The record is the wanted one: do the files agree?"""
    action = Action(resource.address, Change.KEEP, "up to date", fingerprint=record.fingerprint)
    edited = [path for path, state in facts.files.items() if state is FileState.EDITED]
    missing = [path for path, state in facts.files.items() if state is FileState.MISSING]
    kept = _version(facts, record.fingerprint)
    displaced = _displaced(resource, record)
    source = kept.fingerprint if kept and kept.record and kept.intact and not displaced else None
    if edited:
        return replace(
            action,
            change=Change.REPAIR,
            reason=f"{_names(edited)} {_were(edited)} changed by someone else (drift)",
            version=source,
            hint="the changed file is kept under .tsws/replaced/",
        )
    if missing and demanded:
        return replace(action, change=Change.REPAIR, reason=f"{_names(missing)} {_is(missing)} missing", version=source)
    if displaced and demanded:
        places = [path for path in resource.outputs if path not in facts.files]
        return replace(action, change=Change.REPAIR, reason=f"moves to {_names(places)}")
    if missing:
        return replace(action, reason=ABSENT)
    return action


def _displaced(resource: Resource, record: Record) -> list[str]:
    """Recorded files of ours that now belong at another path, which is no part of the fingerprint."""
    published = [one.path for one in record.outputs if one.owned and not one.path.startswith(f"{FOLDER}/")]
    return [path for path in published if resource.outputs and path not in resource.outputs]


def _comparable(resource: Resource, facts: Facts, inputs: Mapping[str, str]) -> list[Version]:
    """The versions that were made from the same things by the same rule."""
    wanted = _by_kind(inputs)
    return [
        version
        for version in facts.versions
        if version.rule == resource.rule.version
        and version.sources == facts.sources
        and _by_kind(version.inputs) == wanted
    ]


def _by_kind(inputs: Mapping[str, str]) -> list[tuple[str, str]]:
    """Kinds and digests: what inputs are called does not matter."""
    return sorted((kind_of(address), digest) for address, digest in inputs.items())


def _version(facts: Facts, wanted: str) -> Version | None:
    return next((version for version in facts.versions if version.fingerprint == short(wanted)), None)


def _changes(resource: Resource, facts: Facts, record: Record, digests: Mapping[str, str]) -> Iterator[FieldChange]:
    if record.rule != resource.rule.version:
        yield FieldChange("rule", record.rule, resource.rule.version)
    yield from _difference("", record.identity, msgspec.to_builtins(resource.identity))
    for path in sorted({*record.sources, *facts.sources}):
        before, now = record.sources.get(path), facts.sources.get(path)
        if before != now:
            yield FieldChange(path, before and short(before), now and short(now))
    for address in sorted({*record.inputs, *resource.inputs}):
        former, latter = record.inputs.get(address), digests.get(address)
        unknown = latter is None and address in resource.inputs
        if former != latter and not (unknown and former is not None):
            yield FieldChange(address, former and short(former), latter and short(latter))


def _difference(path: str, old: Any, new: Any) -> Iterator[FieldChange]:
    """Down to the leaves of nested tables, by what is digested: 1 and 1.0 differ, a missing key and None too."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _difference(f"{path}.{key}" if path else key, old.get(key, _UNSET), new.get(key, _UNSET))
    elif old is _UNSET or new is _UNSET or digest_value(old) != digest_value(new):
        yield FieldChange(path, None if old is _UNSET else old, None if new is _UNSET else new)


def _summary(fields: tuple[FieldChange, ...]) -> str:
    names = [field.path for field in fields]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{shown} changed"


def _names(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _were(names: list[str]) -> str:
    return "was" if len(names) == 1 else "were"


def _plain(value: Any) -> bool:
    return isinstance(value, (str, int, float))
