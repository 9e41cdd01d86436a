"""Deciding and comparing are pure: values in, a plan out, no disk anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from reconcile_toys import TextRule

from tsws.errors import PlanError
from tsws.reconcile.action import Action, Change, FieldChange, Plan
from tsws.reconcile.compare import compare
from tsws.reconcile.decide import InputState, decide, digest_after, wanted_fingerprint
from tsws.reconcile.facts import Facts, FileState, Probe, Version
from tsws.reconcile.graph import Graph
from tsws.reconcile.record import OutputRecord, Record, short
from tsws.reconcile.resource import Resource

RULE = TextRule()


def resource(address: str = "run.x", *inputs: str, **more: Any) -> Resource:
    more.setdefault("identity", {"text": "t"})
    return Resource(address, RULE, inputs=inputs, **more)


def record(of: Resource, inputs: Mapping[str, str] | None = None, **more: Any) -> Record:
    """As a successful making of a resource would have left it."""
    known = dict(inputs or {})
    return Record(
        address=of.address,
        fingerprint=wanted_fingerprint(of, Facts(), known),
        rule=of.rule.version,
        identity=dict(of.identity),
        inputs=known,
        outputs=(OutputRecord(role="text", path=f"{of.address}.txt", size=1, sha256="ab" * 32),),
        **more,
    )


def test_record_of_the_wanted_fingerprint_is_kept() -> None:
    one = resource()
    action = decide(one, Facts(record=record(one)), {})
    assert action == Action("run.x", Change.KEEP, "up to date", fingerprint=record(one).fingerprint)


def test_no_record_is_a_creation() -> None:
    action = decide(resource(), Facts(), {})
    assert (action.change, action.reason) == (Change.CREATE, "does not exist yet")


def test_changes_are_named_down_to_the_leaves() -> None:
    old = resource(identity={"model": {"dim": 64, "layers": 5}, "seed": 1, "gone": True})
    new = resource(identity={"model": {"dim": 128, "layers": 5}, "seed": 1, "fresh": None})
    action = decide(new, Facts(record=record(old)), {})
    assert action.fields == (
        FieldChange("fresh", None, None),
        FieldChange("gone", True, None),
        FieldChange("model.dim", 64, 128),
    )
    assert action.reason == "fresh, gone, model.dim changed"


def test_many_changes_are_counted() -> None:
    old = resource(identity=dict.fromkeys("abcde", 1))
    new = resource(identity=dict.fromkeys("abcde", 2))
    assert decide(new, Facts(record=record(old)), {}).reason == "a, b, c and 2 more changed"


def test_a_tuple_that_was_recorded_as_a_list_is_no_change() -> None:
    old = resource(identity={"betas": [0.9, 0.95], "seed": 1})
    new = resource(identity={"betas": (0.9, 0.95), "seed": 2})
    assert decide(new, Facts(record=record(old)), {}).fields == (FieldChange("seed", 1, 2),)
    same = resource(identity={"betas": (0.9, 0.95), "seed": 1})
    assert decide(same, Facts(record=record(old)), {}).change is Change.KEEP


def test_what_the_fingerprint_tells_apart_is_named() -> None:
    action = decide(resource(identity={"lr": 1}), Facts(record=record(resource(identity={"lr": 1.0}))), {})
    assert (action.change, action.fields) == (Change.UPDATE, (FieldChange("lr", 1.0, 1),))


def test_another_input_is_named() -> None:
    old = record(resource("run.x", "data.a"), {"data.a": "a" * 64})
    inputs = {"data.b": InputState(Change.KEEP, "b" * 64)}
    action = decide(resource("run.x", "data.b"), Facts(record=old), inputs)
    assert action.fields == (FieldChange("data.a", "a" * 12, None), FieldChange("data.b", None, "b" * 12))


def test_removed_input_is_named_and_certain_even_when_another_is_unknown() -> None:
    old = record(resource("run.x", "data.a", "data.b"), {"data.a": "a" * 64, "data.b": "b" * 64})
    inputs = {"data.b": InputState(Change.UPDATE, None)}
    action = decide(resource("run.x", "data.b"), Facts(record=old), inputs)
    assert (action.change, action.fields) == (Change.UPDATE, (FieldChange("data.a", "a" * 12, None),))
    assert action.fingerprint is None


def test_unknown_input_leaves_it_pending_unless_something_else_changed() -> None:
    old = record(resource("run.x", "data.a"), {"data.a": "a" * 64})
    inputs = {"data.a": InputState(Change.UPDATE, None)}
    pending = decide(resource("run.x", "data.a"), Facts(record=old), inputs)
    assert (pending.change, pending.fingerprint) == (Change.PENDING, None)
    certain = decide(resource("run.x", "data.a", identity={"text": "u"}), Facts(record=old), inputs)
    assert (certain.change, certain.reason) == (Change.UPDATE, "text changed")


def test_known_input_that_changed_makes_it_certain_although_another_is_unknown() -> None:
    old = record(resource("run.x", "data.a", "data.b"), {"data.a": "a" * 64, "data.b": "b" * 64})
    inputs = {"data.a": InputState(Change.RESTORE, "c" * 64), "data.b": InputState(Change.UPDATE, None)}
    action = decide(resource("run.x", "data.a", "data.b"), Facts(record=old), inputs)
    assert (action.change, action.fields) == (Change.UPDATE, (FieldChange("data.a", "a" * 12, "c" * 12),))


@pytest.mark.parametrize(
    ("files", "demanded", "change"),
    [
        ({"x": FileState.INTACT}, True, Change.KEEP),
        ({"x": FileState.INTACT}, False, Change.KEEP),
        ({"x": FileState.MISSING}, True, Change.REPAIR),
        ({"x": FileState.MISSING}, False, Change.KEEP),
        ({"x": FileState.EDITED}, True, Change.REPAIR),
        ({"x": FileState.EDITED}, False, Change.REPAIR),
    ],
)
def test_files_decide_over_a_record_that_is_right(files: dict[str, FileState], demanded: bool, change: Change) -> None:
    one = resource()
    assert decide(one, Facts(record=record(one), files=files), {}, demanded=demanded).change is change


@pytest.mark.parametrize("intact", [True, False])
def test_repair_uses_a_kept_version_only_when_it_is_intact(intact: bool) -> None:
    one = resource(versions=".tsws/runs/x")
    known = record(one)
    version = Version(short(known.fingerprint), {}, {}, {}, 1, known, intact=intact)
    facts = Facts(record=known, files={"x": FileState.MISSING}, versions=(version,))
    assert decide(one, facts, {}).version == (short(known.fingerprint) if intact else None)


def test_unfinished_version_says_where_it_continues() -> None:
    one = resource(versions=".tsws/runs/x")
    version = Version(short(record(one).fingerprint), {}, {}, {}, 1, None, progress={"step": 120, "blob": [1]})
    assert decide(one, Facts(versions=(version,)), {}).reason == "does not exist yet; continues at step 120"


def test_digest_after_is_what_dependants_may_rely_on() -> None:
    one = resource()
    known = record(one)
    fingerprint = known.fingerprint
    facts = Facts(record=known)
    assert digest_after(Action("run.x", Change.KEEP, "", fingerprint=fingerprint), facts) == known.digest
    assert digest_after(Action("run.x", Change.REPAIR, "", fingerprint=fingerprint), facts) == known.digest
    assert digest_after(Action("run.x", Change.UPDATE, "", fingerprint="other"), facts) is None
    assert digest_after(Action("run.x", Change.PENDING, ""), facts) is None
    version = Version("0123456789ab", {}, {}, {}, 1, known)
    restore = Action("run.x", Change.RESTORE, "", fingerprint="other", version="0123456789ab")
    assert digest_after(restore, Facts(versions=(version,))) == known.digest
    assert digest_after(restore, Facts()) is None
    assert digest_after(restore, Facts(probe=Probe(Change.SYNC, "", digest="seen"))) == "seen"


@pytest.mark.parametrize("change", [one for one in Change if one.acts])
def test_probe_is_pending_behind_every_change(change: Change) -> None:
    looks = Facts(probe=Probe(Change.KEEP, "in step"))
    action = decide(resource("sync.x", after=("run.x",)), looks, {"run.x": InputState(change, "d" * 64)})
    assert (action.change, action.reason) == (Change.PENDING, "after run.x")


def test_probe_speaks_when_nothing_is_in_front_of_it() -> None:
    part = Action("model.bin", Change.SYNC, "push")
    looks = Facts(probe=Probe(Change.SYNC, "1 file to push", (part,), hint="h"))
    action = decide(resource("sync.x", after=("run.x",)), looks, {"run.x": InputState(Change.KEEP, "d" * 64)})
    assert action == Action("sync.x", Change.SYNC, "1 file to push", parts=(part,), hint="h")


def test_compare_of_a_whole_graph_needs_no_disk() -> None:
    text, tokens = resource("text.t"), resource("tokens.t", "text.t", on_demand=True)
    run = resource("run.x", "tokens.t")
    made_text = record(text)
    made_tokens = record(tokens, {"text.t": made_text.digest})
    made_run = record(run, {"tokens.t": made_tokens.digest})
    observation = {
        "text.t": Facts(record=made_text),
        "tokens.t": Facts(record=made_tokens, files={"tokens.t.txt": FileState.MISSING}),
        "run.x": Facts(record=made_run),
    }
    plan = compare(Graph([run, tokens, text]), observation, ["run.x"], orphans=["old.b", "old.a"])
    assert [(action.address, action.change) for action in plan] == [
        ("text.t", Change.KEEP),
        ("tokens.t", Change.KEEP),
        ("run.x", Change.KEEP),
        ("old.a", Change.ORPHAN),
        ("old.b", Change.ORPHAN),
    ]
    assert plan.changes == ()
    with pytest.raises(KeyError):
        plan["run.y"]
    again = compare(Graph([run, tokens, text]), observation, ["run.x"], replaced=["run.x"])
    assert [action.change for action in again] == [Change.KEEP, Change.REPAIR, Change.UPDATE]
    assert again["tokens.t"].reason == "its files are not there, and run.x needs them"


def test_unknown_target_names_the_nearest() -> None:
    with pytest.raises(PlanError) as caught:
        compare(Graph([resource("run.quickstart")]), {}, ["run.quikstart"])
    assert (caught.value.message, caught.value.hint) == (
        "there is no resource 'run.quikstart'",
        "did you mean run.quickstart?",
    )


def test_every_change_has_a_symbol() -> None:
    assert {change.value: change.symbol for change in Change} == {
        "create": "+",
        "update": "~",
        "extend": "~",
        "restore": "~",
        "repair": "~",
        "pending": "?",
        "sync": "~",
        "keep": "=",
        "blocked": "!",
        "orphan": "-",
    }
    assert Plan(()).changes == ()
