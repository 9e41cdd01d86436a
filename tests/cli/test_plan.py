"""``tsws plan``: complete outputs and exit statuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from tsws.cli.documents import PlanDocument

FRESH = """\
  + dataset.toy       does not exist yet
  + program.run       does not exist yet
  + tokenizer.small   does not exist yet
  + tokens.toy.small  does not exist yet
  + run.tiny          does not exist yet{estimate}
  + export.tiny       does not exist yet

Plan: 6 to create.
"""
FAR = """
[run.far]
model = "tiny"
dataset = "toy"
tokenizer = "small"
backend = "moon"
"""


def without_estimates(text: str) -> str:
    """Without what depends on how fast this machine has trained."""
    return re.sub(r"  \(.*GFLOP/s\)| About .*\.", "", text)


def test_plan_of_a_new_workspace_names_everything_and_changes_nothing(project) -> None:
    new = project()
    result = new.run("plan")
    estimate = "  (" + result.out.partition("  (")[2].partition("\n")[0]
    assert estimate.endswith("the time is known after the first run here)")
    assert (result.status, result.out, result.err) == (0, FRESH.format(estimate=estimate), "")
    assert [path.name for path in new.root.iterdir()] == ["tinystories.toml"]


def test_plan_of_an_applied_workspace_has_nothing_to_do(applied) -> None:
    result = applied.run("plan", "--detailed-exitcode")
    assert (result.status, result.out) == (0, "Nothing to do: 6 resources are up to date.\n")


def test_verbose_plan_shows_what_stays(applied) -> None:
    assert applied.run("plan", "-v", "export.tiny").out == (
        "  = dataset.toy       up to date\n"
        "  = tokenizer.small   up to date\n"
        "  = tokens.toy.small  up to date\n"
        "  = run.tiny          up to date\n"
        "  = export.tiny       up to date\n"
        "\n"
        "Nothing to do: 5 resources are up to date.\n"
    )


def test_edit_of_an_identity_field_shows_old_and_new_and_what_waits_for_it(applied) -> None:
    result = applied.run("plan", "--set", "tokenizer.small.vocab_size=330", "--detailed-exitcode")
    assert (result.status, without_estimates(result.out)) == (
        2,
        "  ~ tokenizer.small   vocab_size changed\n"
        "      vocab_size: 320 -> 330\n"
        "  ? tokens.toy.small  decided once its input is known: tokenizer.small (update)\n"
        "  ? run.tiny          decided once its input is known: tokens.toy.small (pending), tokenizer.small (update)\n"
        "  ? export.tiny       decided once its input is known: run.tiny (pending)\n"
        "  = 2 others unchanged\n"
        "\n"
        "Plan: 1 to update, 3 to decide on the way; 2 unchanged.\n",
    )


def test_edit_of_an_operational_field_replans_nothing(applied) -> None:
    applied.edit("threads = 1", "threads = 2\nlog_interval = 3")
    assert applied.run("plan").out == "Nothing to do: 6 resources are up to date.\n"


def test_hand_edited_output_is_drift_with_a_hint(applied) -> None:
    (applied.root / "out/tiny/model.bin").write_bytes(b"mine")
    assert applied.run("plan").out == (
        "  ~ export.tiny  out/tiny/model.bin was changed by someone else (drift)\n"
        "      hint: the changed file is kept under .tsws/replaced/\n"
        "  = 5 others unchanged\n"
        "\n"
        "Plan: 1 to repair; 5 unchanged.\n"
    )


def test_missing_plugin_blocks_its_run_and_says_which(applied) -> None:
    applied.edit("\n[run.tiny]", FAR + "\n[run.tiny]")
    result = applied.run("plan", "run.far", "--detailed-exitcode")
    assert (result.status, result.err) == (1, "")
    assert result.out == (
        "  ! run.far     no plugin provides the backend 'moon'\n"
        "      hint: install the plugin that has it, or choose another backend (known: local, modal); `tsws plugins` lists them\n"
        "  ! export.far  needs run.far, which is blocked\n"
        "  = 4 others unchanged\n"
        "\n"
        "Nothing to do; 4 unchanged, 2 blocked.\n"
    )


def test_quiet_plan_is_its_summary(project) -> None:
    assert project().run("-q", "plan").out == "Plan: 6 to create.\n"
    assert project().run("plan", "-q").out == "Plan: 6 to create.\n"


def test_colours_are_for_terminals_and_can_be_refused(project) -> None:
    new = project()
    assert "\x1b[32m" in new.run("plan", color=True).out
    for refused in (
        new.run("plan"),
        new.run("plan", "--no-color", color=True),
        new.run("--no-color", "plan", color=True),
        new.run("plan", env={"NO_COLOR": "1"}, color=True),
    ):
        assert "\x1b" not in refused.out


def test_json_plan_is_the_documented_document(applied) -> None:
    result = applied.run("plan", "--json", "export.tiny", "--set", "tokenizer.small.vocab_size=330")
    document = msgspec.json.decode(result.out, type=PlanDocument)
    assert (document.schema, document.changes, document.blocked) == (1, 4, 0)
    assert [(one.address, one.change) for one in document.actions] == [
        ("dataset.toy", "keep"),
        ("tokenizer.small", "update"),
        ("tokens.toy.small", "pending"),
        ("run.tiny", "pending"),
        ("export.tiny", "pending"),
    ]
    tokenizer = json.loads(result.out)["actions"][1]
    assert len(tokenizer.pop("fingerprint")) == 64
    assert tokenizer == {
        "address": "tokenizer.small",
        "change": "update",
        "reason": "vocab_size changed",
        "hint": None,
        "fields": [{"path": "vocab_size", "old": 320, "new": 330}],
        "version": None,
        "estimate": None,
        "parts": [],
    }


def test_mistakes_in_the_manifest_are_one_error_with_all_of_them(project) -> None:
    result = project({"tinystories.toml": '[run.x]\nmodel = "none"\nmax_iter = 3\n'}).run("plan")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("error: the manifest has 3 mistakes:\n  tinystories.toml:1: ")
    assert "max_iters" in result.err


def test_folder_without_a_workspace_is_told_how_to_make_one(tmp_path: Path, project: Callable) -> None:
    result = project({"notes.txt": ""}).run("plan")
    assert (result.status, result.out) == (1, "")
    assert result.err == (
        f"error: there is no tinystories.toml in {tmp_path} or any folder above it\n"
        "hint: `tsws init` makes a workspace here; `tsws -C FOLDER` looks elsewhere\n"
    )


def test_unknown_address_gets_the_nearest_one(project) -> None:
    result = project().run("plan", "run.tinny")
    assert (result.status, result.err) == (
        1,
        "error: there is no resource 'run.tinny'\nhint: did you mean run.tiny?\n",
    )
