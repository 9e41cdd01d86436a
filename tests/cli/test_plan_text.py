"""Plans as lines, from values."""

from __future__ import annotations

from tsws.cli.plan_text import plan_lines, summary
from tsws.reconcile.action import Action, Change, Estimate, FieldChange, Plan

BABY = Plan(
    (
        Action("dataset.tok105", Change.CREATE, "does not exist yet", estimate=Estimate(bytes=27_000_000)),
        Action(
            "run.baby",
            Change.EXTEND,
            "extends version 0123456789ab from step 500 to 900 (modal, in volume v)",
            fields=(
                FieldChange("train.max_iters", 500, 900),
                FieldChange("notes", "two words", None),
                FieldChange("dataset.tok105", None, "0123456789ab"),
            ),
            estimate=Estimate(seconds=80.0, dollars=0.12, basis="0.59 $/h (list price)"),
            parts=(
                Action("tokenizer.tok105", Change.KEEP, "up to date"),
                Action("run.baby", Change.EXTEND, "extends version 0123456789ab from step 500 to 900"),
                Action("export.baby", Change.PENDING, "decided once its input is known: run.baby (extend)"),
            ),
        ),
        Action("program.run", Change.KEEP, "up to date"),
        Action("volume.v", Change.BLOCKED, "out/model.bin changed on both sides", hint="`tsws sync` says more"),
        Action("run.old", Change.ORPHAN, "no longer declared; `tsws gc` removes it"),
    )
)


def test_every_kind_of_line() -> None:
    text = "\n".join(plan_lines(BABY)).encode().decode("unicode_escape")
    import click

    assert click.unstyle(text).splitlines() == [
        "  + dataset.tok105  does not exist yet  (about 27 MB)",
        "  ~ run.baby        extends version 0123456789ab from step 500 to 900 (modal, in volume v)"
        "  (about 1m 20s, $0.12; 0.59 $/h (list price))",
        "      train.max_iters: 500 -> 900",
        '      notes: "two words" -> (none)',
        "      dataset.tok105: (none) -> 0123456789ab",
        "      ~ run.baby     extends version 0123456789ab from step 500 to 900",
        "      ? export.baby  decided once its input is known: run.baby (extend)",
        "  ! volume.v        out/model.bin changed on both sides",
        "      hint: `tsws sync` says more",
        "  - run.old         no longer declared; `tsws gc` removes it",
        "  = 1 other unchanged",
    ]


def test_summary_counts_and_adds_up() -> None:
    assert summary(BABY) == (
        "Plan: 1 to create, 1 to extend; 1 unchanged, 1 blocked, 1 no longer declared. About 1m 20s, 27 MB, $0.12."
    )


def test_summary_of_no_changes() -> None:
    assert summary(Plan(BABY.actions[2:3])) == "Nothing to do: 1 resource is up to date."
    assert summary(Plan(BABY.actions[2:])) == "Nothing to do; 1 unchanged, 1 blocked, 1 no longer declared."
