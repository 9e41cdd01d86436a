"""Three ways to look at a file (here, there, when both last agreed), and what follows. Pure.

The rule that everything else serves: content is only overwritten or removed when it is what both sides last agreed on,
so that it is nobody's unsynced work; or when a person named the path and forced it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tsws.sync.step import Change, Step, Version


def compare(
    local: Mapping[str, Version],
    remote: Mapping[str, Version],
    base: Mapping[str, str],
    *,
    pull: Collection[str] = (),
    push: Collection[str] = (),
    force: bool = False,
    delete: bool = False,
) -> tuple[Step, ...]:
    """What to do with every path that any of the three knows.

    Args:
        local: the files of the workspace, each with its digest.
        remote: the files of the volume. A digest of None differs from every other.
        base: SHA-256 of each file when both sides last agreed.
        pull: paths whose content on the volume is wanted here, whatever was removed here.
        push: paths whose content here is wanted on the volume, whatever was removed there.
        force: what ``pull`` and ``push`` ask for wins over changes on the receiving side.
        delete: a removal on one side since the last sync is repeated on the other.

    Returns:
        One step a path, sorted by path.
    """
    paths = sorted({*local, *remote, *base})
    return tuple(
        _step(path, local.get(path), remote.get(path), base.get(path), path in pull, path in push, force, delete)
        for path in paths
    )


def _step(
    path: str,
    local: Version | None,
    remote: Version | None,
    base: str | None,
    pull: bool,
    push: bool,
    force: bool,
    delete: bool,
) -> Step:
    if local is None and remote is None:
        change, reason = Change.FORGET, "removed on both sides"
    elif remote is None:
        change, reason = _only_one(local, base, push, delete, "here", "there")
    elif local is None:
        change, reason = _only_one(remote, base, pull, delete, "there", "here")
    elif local.sha256 == remote.sha256:
        change, reason = Change.SAME, "the same on both sides"
    else:
        change, reason = _both(local.sha256 != base, remote.sha256 != base, base is None, pull, push, force)
    return Step(path, change, reason, local, remote)


def _only_one(
    present: Version | None, base: str | None, wanted: bool, delete: bool, side: str, other: str
) -> tuple[Change, str]:
    """A file that only ``side`` has."""
    is_here = side == "here"
    transfer = Change.PUSH if is_here else Change.PULL
    if base is None:
        return transfer, f"new {side}"
    if wanted:
        return transfer, f"asked for; removed {other}"
    if present is not None and present.sha256 != base:
        return transfer, f"changed {side} since it was removed {other}"
    if delete:
        return Change.DELETE_HERE if is_here else Change.DELETE_THERE, f"removed {other}"
    return Change.GONE_THERE if is_here else Change.GONE_HERE, f"removed {other}, kept {side}"


def _both(
    changed_here: bool, changed_there: bool, is_strange: bool, pull: bool, push: bool, force: bool
) -> tuple[Change, str]:
    """A file that differs between the sides."""
    if pull and (force or not changed_here):
        return Change.PULL, "asked for; replaces what changed here" if changed_here else "changed there"
    if push and (force or not changed_there):
        return Change.PUSH, "asked for; replaces what changed there" if changed_there else "changed here"
    if is_strange:
        return Change.CONFLICT, "different on both sides, which never agreed on it"
    if changed_here and changed_there:
        return Change.CONFLICT, "changed on both sides"
    if changed_here:
        return (Change.CONFLICT, "changed here: pulling would lose it") if pull else (Change.PUSH, "changed here")
    return (Change.CONFLICT, "changed there: pushing would lose it") if push else (Change.PULL, "changed there")
