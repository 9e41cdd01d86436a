"""``tsws apply`` without a terminal: complete outputs and exit statuses."""

from __future__ import annotations

from masks import masked

from tsws.cli.outcome import outcome
from tsws.errors import InterruptedByUser, TswsError
from tsws.reconcile.action import Action, Change
from tsws.reconcile.apply import Applied, Outcome, Report

FIRST = """\
dataset.toy: started, does not exist yet
dataset.toy: done in TIME
program.run: started, does not exist yet
program.run: done in TIME
tokenizer.small: started, does not exist yet
tokenizer.small: done in TIME
tokens.toy.small: started, does not exist yet
tokens.toy.small: done in TIME
run.tiny: started, does not exist yet
run.tiny: step 1/20, loss LOSS, SPEED
run.tiny: step 10/20, loss LOSS, SPEED
run.tiny: step 10/20, val loss LOSS, the best so far
run.tiny: STORY
run.tiny: step 20/20, loss LOSS, SPEED
run.tiny: step 20/20, val loss LOSS, the best so far
run.tiny: STORY
run.tiny: done in TIME, loss LOSS, val loss LOSS
export.tiny: started, does not exist yet
export.tiny: done in TIME
Done: 6 changes in TIME.
"""


def test_first_apply_says_what_it_will_do_then_what_it_does(first_apply) -> None:
    plan, _, doing = first_apply.result.out.partition("\n\n")
    summary, _, doing = doing.partition("\n\n")
    assert plan.count("does not exist yet") == 6
    assert (summary, first_apply.result.err, first_apply.result.status) == ("Plan: 6 to create.", "", 0)
    assert masked(doing) == FIRST
    assert (first_apply.project.root / "out/tiny/model.bin").stat().st_size > 10_000


def test_second_apply_does_nothing_and_says_so_in_one_line(applied) -> None:
    before = {path: path.stat().st_mtime_ns for path in applied.root.rglob("*")}
    result = applied.run("apply")
    assert (result.status, result.out, result.err) == (0, "Nothing to do: 6 resources are up to date.\n", "")
    assert {path: path.stat().st_mtime_ns for path in applied.root.rglob("*")} == before


def test_missing_output_is_made_again(applied) -> None:
    (applied.root / "small.vocab").unlink()
    result = applied.run("apply", "tokenizer.small")
    assert (result.status, masked(result.out)) == (
        0,
        "  ~ tokenizer.small  small.vocab is missing\n"
        "  = 1 other unchanged\n"
        "\n"
        "Plan: 1 to repair; 1 unchanged.\n"
        "\n"
        "tokenizer.small: started, small.vocab is missing\n"
        "tokenizer.small: done in TIME\n"
        "Done: 1 change in TIME; 1 other up to date.\n",
    )
    assert (applied.root / "small.vocab").is_file()


def test_dry_run_only_shows(applied) -> None:
    (applied.root / "small.vocab").unlink()
    result = applied.run("apply", "tokenizer.small", "--dry-run")
    assert result.out.endswith("\n\nPlan: 1 to repair; 1 unchanged.\n")
    assert not (applied.root / "small.vocab").exists()


def test_replacing_has_to_be_agreed_to(applied) -> None:
    refused = applied.run("apply", "tokenizer.small", "--replace", "tokenizer.small")
    assert (refused.status, refused.err) == (
        1,
        "error: this has to be agreed to: it makes tokenizer.small anew\nhint: add -y to agree\n",
    )
    agreed = applied.run("apply", "-q", "-y", "tokenizer.small", "--replace", "tokenizer.small")
    assert (agreed.status, masked(agreed.out)) == (0, "Done: 1 change in TIME; 1 other up to date.\n")


def test_blocked_target_keeps_everything_from_beginning(project) -> None:
    new = project()
    new.edit("threads = 1", 'backend = "moon"')
    result = new.run("apply")
    assert (result.status, result.err) == (
        1,
        "error: run.tiny and export.tiny are blocked, so nothing was done: no plugin provides the backend 'moon'\n"
        "hint: install the plugin that has it, or choose another backend (known: local, modal); `tsws plugins` lists them; "
        "--keep-going does the rest\n",
    )
    assert not (new.root / "data").exists()


def test_failure_names_the_resource_and_what_was_not_begun(project) -> None:
    new = project()
    new.edit("vocab_size = 320", "vocab_size = 300")
    result = new.run("apply", "tokens.toy.small")
    assert (result.status, masked(result.out).splitlines()[-4:]) == (
        1,
        [
            "dataset.toy: started, does not exist yet",
            "dataset.toy: done in TIME",
            "tokenizer.small: started, does not exist yet",
            "Failed: tokenizer.small. Not begun: tokens.toy.small. Done: 1 change in TIME.",
        ],
    )
    assert result.err.startswith("error: tokenizer.small: ")
    assert "\nhint: " in result.err


def test_failure_once_said_is_done_right_after_it_is_mended(project) -> None:
    new = project()
    new.edit("vocab_size = 320", "vocab_size = 300")
    assert new.run("apply", "tokenizer.small").status == 1
    new.edit("vocab_size = 300", "vocab_size = 320")
    result = new.run("apply", "-q", "tokenizer.small")
    assert (result.status, masked(result.out)) == (0, "Done: 1 change in TIME; 1 other up to date.\n")


def test_outcome_of_an_interrupted_apply() -> None:
    action = Action("run.a", Change.CREATE, "")
    results = (
        Applied("dataset.d", Outcome.DONE, action),
        Applied("run.a", Outcome.FAILED, action, error=InterruptedByUser("stopped at step 3 of 9")),
        Applied("export.a", Outcome.SKIPPED, action),
    )
    assert outcome(Report(results, 61.0), stopped=True) == (
        "Stopped after 1m 01s, 1 change done; `tsws apply` continues with run.a and export.a.",
        130,
    )


def test_failure_outweighs_an_interruption() -> None:
    action = Action("run.a", Change.CREATE, "")
    results = (
        Applied("run.a", Outcome.FAILED, action, error=TswsError("broken")),
        Applied("export.a", Outcome.SKIPPED, action),
    )
    assert outcome(Report(results, 2.0), stopped=True) == (
        "Failed: run.a. Not begun: export.a. Done: 0 changes in 2s.",
        1,
    )
