"""Deciding: every state of here, there and the base has one answer, and none of them loses work."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.sync import Change, Step, Version, compare

Contents = dict[str, str]


def versions(contents: Contents) -> dict[str, Version]:
    return {path: Version(len(content), 0.0, content) for path, content in contents.items()}


def decide(
    here: str | None,
    there: str | None,
    base: str | None,
    *,
    pull: bool = False,
    push: bool = False,
    force: bool = False,
    delete: bool = False,
) -> Step:
    """The step of the one path ``f``; ``pull`` and ``push`` name it."""
    sides = [{} if content is None else {"f": content} for content in (here, there, base)]
    (step,) = compare(
        versions(sides[0]),
        versions(sides[1]),
        sides[2],
        pull={"f"} if pull else set(),
        push={"f"} if push else set(),
        force=force,
        delete=delete,
    )
    return step


@pytest.mark.parametrize(
    ("here", "there", "base", "change", "reason"),
    [
        ("a", None, None, Change.PUSH, "new here"),
        (None, "a", None, Change.PULL, "new there"),
        ("a", "a", None, Change.SAME, "the same on both sides"),
        ("a", "a", "a", Change.SAME, "the same on both sides"),
        ("b", "b", "a", Change.SAME, "the same on both sides"),
        ("b", "a", "a", Change.PUSH, "changed here"),
        ("a", "b", "a", Change.PULL, "changed there"),
        ("b", "c", "a", Change.CONFLICT, "changed on both sides"),
        ("b", "c", None, Change.CONFLICT, "different on both sides, which never agreed on it"),
        ("a", None, "a", Change.GONE_THERE, "removed there, kept here"),
        (None, "a", "a", Change.GONE_HERE, "removed here, kept there"),
        ("b", None, "a", Change.PUSH, "changed here since it was removed there"),
        (None, "b", "a", Change.PULL, "changed there since it was removed here"),
        (None, None, "a", Change.FORGET, "removed on both sides"),
    ],
)
def test_both_ways(here: str | None, there: str | None, base: str | None, change: Change, reason: str) -> None:
    step = decide(here, there, base)
    assert (step.change, step.reason) == (change, reason)


@pytest.mark.parametrize(
    ("here", "there", "base", "plain", "forced"),
    [
        ("a", "b", "a", Change.PULL, Change.PULL),
        (None, "a", "a", Change.PULL, Change.PULL),
        ("b", "a", "a", Change.CONFLICT, Change.PULL),
        ("b", "c", "a", Change.CONFLICT, Change.PULL),
        ("b", "c", None, Change.CONFLICT, Change.PULL),
        ("a", "a", None, Change.SAME, Change.SAME),
    ],
)
def test_asking_to_pull_restores_but_loses_nothing_unless_forced(
    here: str | None, there: str, base: str | None, plain: Change, forced: Change
) -> None:
    assert decide(here, there, base, pull=True).change is plain
    assert decide(here, there, base, pull=True, force=True).change is forced
    mirrored = {Change.PULL: Change.PUSH}
    assert decide(there, here, base, push=True).change is mirrored.get(plain, plain)
    assert decide(there, here, base, push=True, force=True).change is mirrored.get(forced, forced)


def test_removals_are_repeated_only_when_asked_for_and_only_of_what_was_agreed_on() -> None:
    assert decide("a", None, "a", delete=True).change is Change.DELETE_HERE
    assert decide(None, "a", "a", delete=True).change is Change.DELETE_THERE
    assert decide("b", None, "a", delete=True).change is Change.PUSH
    assert decide(None, "b", "a", delete=True).change is Change.PULL


def test_an_unknown_digest_differs_from_everything() -> None:
    (step,) = compare({"f": Version(1, 0.0, "a")}, {"f": Version(2, 0.0, None)}, {"f": "a"})
    assert step.change is Change.PULL
    (step,) = compare({"f": Version(1, 0.0, "b")}, {"f": Version(2, 0.0, None)}, {"f": "a"})
    assert step.change is Change.CONFLICT


def carry_out(steps: tuple[Step, ...], here: Contents, there: Contents) -> tuple[Contents, Contents]:
    """What both sides hold after the steps."""
    here, there = dict(here), dict(there)
    for step in steps:
        match step.change:
            case Change.PUSH:
                there[step.path] = here[step.path]
            case Change.PULL:
                here[step.path] = there[step.path]
            case Change.DELETE_HERE:
                del here[step.path]
            case Change.DELETE_THERE:
                del there[step.path]
    return here, there


def test_no_state_loses_work_that_was_never_agreed_on() -> None:
    """All states of one path that there are, with every choice."""
    contents = (None, "a", "b", "c")
    choices = (False, True)
    states = [state for state in product(contents, contents, contents) if any(state)]
    for (here, there, base), (pull, push, delete) in product(states, product(choices, choices, choices)):
        step = decide(here, there, base, pull=pull, push=push, delete=delete)
        after = carry_out((step,), {"f": here} if here else {}, {"f": there} if there else {})
        for content in {here, there} - {None, base}:
            assert content in {side.get("f") for side in after}, (here, there, base, pull, push, delete, step)


PATHS = st.sampled_from(["a", "b/c", "b/d", "e f"])
CONTENTS = st.dictionaries(PATHS, st.sampled_from(["1", "2", "3"]))


@given(CONTENTS, CONTENTS, CONTENTS, st.sets(PATHS), st.sets(PATHS), st.booleans())
def test_a_path_is_forced_only_when_it_was_named(
    here: Contents, there: Contents, base: Contents, pull: set[str], push: set[str], delete: bool
) -> None:
    steps = compare(versions(here), versions(there), base, pull=pull, push=push, force=True, delete=delete)
    assert [step.path for step in steps] == sorted({*here, *there, *base})
    after = carry_out(steps, here, there)
    for side in (here, there):
        for path, content in side.items():
            if path not in pull | push and content != base.get(path):
                assert content in {now.get(path) for now in after}


@given(CONTENTS, CONTENTS, CONTENTS)
def test_a_second_sync_has_nothing_to_transfer(here: Contents, there: Contents, base: Contents) -> None:
    steps = compare(versions(here), versions(there), base)
    here, there = carry_out(steps, here, there)
    agreed = {path: content for path, content in here.items() if there.get(path) == content}
    kept = {step.path: base[step.path] for step in steps if step.change in (Change.GONE_HERE, Change.GONE_THERE)}
    conflicts = {step.path for step in steps if step.change is Change.CONFLICT}
    again = compare(versions(here), versions(there), {**agreed, **kept})
    moving = {step.path for step in again if step.change not in (Change.SAME, Change.GONE_HERE, Change.GONE_THERE)}
    assert moving == conflicts
