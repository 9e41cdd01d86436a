"""The commands that show what there is: status, runs, logs, show, graph, plugins, schema, doctor."""

from __future__ import annotations

import json
import re

import jsonschema
import msgspec
import pytest
from masks import masked, squeezed

from tsws.cli.documents import StatusDocument

TREE = """\
program.run
export.tiny
└─ run.tiny
   ├─ tokens.toy.small
   │  ├─ dataset.toy
   │  └─ tokenizer.small
   │     └─ dataset.toy
   └─ tokenizer.small (shown above)
"""
DOT = """\
digraph workspace {
  rankdir=LR; node [shape=box];
  "dataset.toy";
  "program.run";
  "tokenizer.small";
  "tokens.toy.small";
  "run.tiny";
  "export.tiny";
  "dataset.toy" -> "tokenizer.small";
  "dataset.toy" -> "tokens.toy.small";
  "tokenizer.small" -> "tokens.toy.small";
  "tokens.toy.small" -> "run.tiny";
  "tokenizer.small" -> "run.tiny";
  "run.tiny" -> "export.tiny";
}
"""
MERMAID = """\
graph LR
  n0["dataset.toy"]
  n1["program.run"]
  n2["tokenizer.small"]
  n3["tokens.toy.small"]
  n4["run.tiny"]
  n5["export.tiny"]
  n0 --> n2
  n0 --> n3
  n2 --> n3
  n3 --> n4
  n2 --> n4
  n4 --> n5
"""


def squeezed_rows(text: str) -> list[str]:
    """The rows of a status table, cells two spaces apart."""
    return [re.sub(r" {2,}", "  ", line) for line in text.partition("\n\n")[0].splitlines()[1:]]


def test_status_of_an_applied_workspace(applied) -> None:
    result = applied.run("status")
    assert (result.status, squeezed(result.out)) == (
        0,
        "ADDRESS STATE FILES SIZE MADE TOOK\n"
        "dataset.toy up to date data/toy/train.txt, data/toy/valid.txt SIZE MADE TOOK\n"
        "program.run up to date run, run.c SIZE MADE TOOK\n"
        "tokenizer.small up to date small.model, small.vocab and 1 more SIZE MADE TOOK\n"
        "tokens.toy.small up to date data/toy/small/data00.bin, data/toy/small/data01.bin SIZE MADE TOOK\n"
        "run.tiny up to date out/tiny/metrics.jsonl, out/tiny/samples.jsonl SIZE MADE TOOK\n"
        "export.tiny up to date out/tiny/model.bin SIZE MADE TOOK\n"
        "\n"
        "run.tiny: val loss LOSS, best LOSS\n",
    )


def test_status_tells_files_that_nothing_needs(applied) -> None:
    assert applied.run("clean", "-y").status == 0
    states = [line.split("  ")[1].strip() for line in squeezed_rows(applied.run("status").out)]
    absent = "up to date, files absent"
    assert states == [absent, "up to date", "up to date", absent, "up to date", "up to date"]


def test_status_of_a_new_workspace(project) -> None:
    assert squeezed(project().run("status").out) == (
        "ADDRESS STATE FILES SIZE MADE TOOK\n"
        + "".join(
            f"{address} not made yet\n"
            for address in (
                "dataset.toy",
                "program.run",
                "tokenizer.small",
                "tokens.toy.small",
                "run.tiny",
                "export.tiny",
            )
        )
    )


def test_status_says_what_is_not_up_to_date_and_why(applied) -> None:
    applied.edit("max_iters = 20", "max_iters = 30")
    (applied.root / "small.vocab").write_text("mine")
    (version,) = applied.root.glob(".tsws/runs/tiny/*")
    out = applied.run("status").out
    assert [line.split("  ")[1].strip() for line in squeezed_rows(out)] == [
        "up to date",
        "up to date",
        "damaged",
        "up to date",
        "out of date",
        "waits for its inputs",
    ]
    assert out.partition("\n\n")[2] == (
        "tokenizer.small: small.vocab was changed by someone else (drift)"
        "  (the changed file is kept under .tsws/replaced/)\n"
        f"run.tiny: extends version {version.name} from step 20 to 30\n"
        "export.tiny: decided once its input is known: run.tiny (extend)\n"
    )


def test_json_status_is_the_documented_document(applied) -> None:
    result = applied.run("status", "--json")
    document = msgspec.json.decode(result.out, type=StatusDocument)
    assert (document.schema, document.root) == (1, str(applied.root))
    assert [(one.address, one.state, one.change, one.job) for one in document.resources] == [
        (address, "up to date", "keep", None)
        for address in ("dataset.toy", "program.run", "tokenizer.small", "tokens.toy.small", "run.tiny", "export.tiny")
    ]
    export = json.loads(result.out)["resources"][-1]
    model = applied.root / "out/tiny/model.bin"
    assert len(export["files"][0].pop("sha256")) == 64
    assert export["files"] == [{"role": "model", "path": "out/tiny/model.bin", "size": model.stat().st_size}]


def test_runs_lists_versions_with_their_losses(applied, project) -> None:
    header, version = squeezed(applied.run("runs").out).splitlines()
    assert header == " RUN VERSION STEP VAL LOSS BEST TOKENS TOOK MADE"
    assert re.fullmatch(r"\* run.tiny [0-9a-f]{12} 20/20 LOSS LOSS 5.1k TOOK MADE", version)
    assert project().run("runs").out == "No run has been started yet.\n"


def test_logs_show_what_the_last_job_said(applied) -> None:
    result = applied.run("logs")
    assert masked(result.out).splitlines() == [
        "run.tiny: step 1/20, loss LOSS, SPEED",
        "run.tiny: step 10/20, loss LOSS, SPEED",
        "run.tiny: step 10/20, val loss LOSS, the best so far",
        "run.tiny: STORY",
        "run.tiny: step 20/20, loss LOSS, SPEED",
        "run.tiny: step 20/20, val loss LOSS, the best so far",
        "run.tiny: STORY",
        "run.tiny: checkpoint of step 20",
        "run.tiny: done in TIME, loss LOSS, val loss LOSS",
    ]
    assert applied.run("logs", "run.tiny", "-f").out == result.out


def test_logs_of_nothing(project) -> None:
    assert project().run("logs", "run.tiny").err == (
        "error: no job of run.tiny is known here\n"
        "hint: runs have jobs once `tsws apply` has started them; `tsws gc` forgets those that ended\n"
    )


def test_cancel_of_a_job_that_is_over(applied) -> None:
    assert applied.run("cancel", "run.tiny").err == (
        "error: no job of run.tiny is running\nhint: `tsws status --refresh` shows what is at work\n"
    )


def test_show_tells_everything_of_a_resource(applied) -> None:
    result = applied.run("show", "tokenizer.small")
    text = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", squeezed(result.out))
    text = re.sub(r"\b[0-9a-f]{12}\b", "SHORT", text)
    text = re.sub(r"(?m)^ (host|pid|tsws) .*\n", "", text)
    assert text == (
        "tokenizer.small: up to date\n"
        "\n"
        "identity\n"
        " byte_fallback true\n"
        " character_coverage 1.0\n"
        " format text\n"
        " split_digits true\n"
        " val 0.05\n"
        " vocab_size 320\n"
        "\n"
        "made from\n"
        " dataset.toy SHORT\n"
        "\n"
        "files\n"
        " small.model SIZE DIGEST\n"
        " small.vocab SIZE DIGEST\n"
        " small.bin SIZE DIGEST\n"
        "\n"
        "record\n"
        " fingerprint DIGEST\n"
        " made MADE\n"
        " took TOOK\n"
        " vocab_size 320\n"
    )


def test_show_of_a_run_lists_its_versions(applied) -> None:
    last = squeezed(applied.run("show", "run.tiny").out).splitlines()[-2:]
    assert last[0] == "versions"
    assert re.fullmatch(r" \* [0-9a-f]{12} 20/20 val loss LOSS MADE", last[1])


def test_graph_as_a_tree_and_for_two_programs(project) -> None:
    new = project()
    assert new.run("graph").out == TREE
    assert new.run("graph", "--format", "dot").out == DOT
    assert new.run("graph", "--format", "mermaid").out == MERMAID


def test_plugins_that_come_along(project) -> None:
    rows = {line.split()[0]: line.split(maxsplit=3)[1:] for line in project().run("plugins").out.splitlines()}
    assert rows["PLUGIN"] == ["PACKAGE", "VERSION", "ADDS"]
    assert rows["local"][0::2] == ["tsws", "backend local"]
    assert rows["folder"][0::2] == ["tsws", "volume folder"]


def test_no_plugins(project) -> None:
    assert project().process("plugins", env={"TSWS_LOAD_PLUGINS": ""}).out == "No plugins are loaded.\n"


def test_schema_is_one_of_a_manifest(project) -> None:
    schema = json.loads(project().run("schema").out)
    assert schema["title"] == "tinystories.toml"
    assert {"workspace", "dataset", "run", "volume"} <= set(schema["properties"])


@pytest.mark.parametrize("document", ["manifest", "plan", "status"])
def test_schema_names_its_dialect_first(project, document: str) -> None:
    schema = json.loads(project().run("schema", document).out)
    assert next(iter(schema.items())) == ("$schema", "https://json-schema.org/draft/2020-12/schema")
    assert "$id" not in schema
    jsonschema.validators.validator_for(schema, default=None).check_schema(schema)


@pytest.mark.parametrize(
    ("document", "keys"), [("plan", "schema changes blocked actions"), ("status", "schema root resources")]
)
def test_schema_of_a_json_document(project, document: str, keys: str) -> None:
    schema = json.loads(project().run("schema", document).out)
    assert list(schema["$defs"][f"{document.title()}Document"]["properties"]) == keys.split()


def test_validate_says_that_it_is_valid(project) -> None:
    assert project().run("validate").out == "tinystories.toml is valid: 6 resources.\n"


def test_validate_warns_of_plugins_that_are_not_there(project) -> None:
    new = project()
    new.edit("threads = 1", 'backend = "moon"')
    result = new.run("validate")
    assert (result.status, result.out) == (0, "tinystories.toml is valid: 6 resources.\n")
    assert result.err.startswith("warning: tinystories.toml:")
    assert "moon" in result.err
