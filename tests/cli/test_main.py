"""The way in: help, unknown commands, errors, exit statuses, and what is not loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from tsws.cli import boundary
from tsws.cli.main import cli, plugin_commands
from tsws.cli.table import COMMANDS
from tsws.errors import InterruptedByUser, TswsError
from tsws.version import __version__

HEAVY = ("torch", "modal", "sentencepiece", "numpy", "rich", "httpx", "fsspec", "huggingface_hub")


def command_of(name: str) -> click.Command:
    """The command that lives in the module of its name."""
    command: click.Command = import_module(f"tsws.cli.{name}").command
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_table_says_what_the_command_says(name: str) -> None:
    command = command_of(name)
    assert command.name == name
    assert command.get_short_help_str(200) == COMMANDS[name].removesuffix(".") or command.help.startswith(
        COMMANDS[name]
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: tsws {name} [OPTIONS]")
    options = [one for one in command_of(name).params if isinstance(one, click.Option)]
    undescribed = [option.name for option in options if not option.help]
    assert undescribed == []


def test_help_lists_every_command() -> None:
    text = CliRunner().invoke(cli, ["--help"]).stdout
    assert [name for name in COMMANDS if f"\n  {name} " not in text] == []


def test_plugins_that_come_along_add_no_commands() -> None:
    """Were it otherwise, help would have to load them all."""
    from tsws.plugin import load_plugins

    own = [plugin for plugin in load_plugins().loaded if plugin.package == "tsws"]
    assert [plugin.name for plugin in own if "commands" in plugin.adds] == []
    assert plugin_commands() == {} or any(plugin.package != "tsws" for plugin in load_plugins().loaded)


def test_unknown_command_gets_the_nearest_one() -> None:
    result = CliRunner().invoke(cli, ["aply"])
    assert (result.exit_code, result.stderr) == (
        2,
        "error: there is no command 'aply'; did you mean apply?\nhint: `tsws --help` shows what there is\n",
    )


def test_version(project) -> None:
    assert project().process("--version").out == f"tsws {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["plan"], ["plan", "--json"], ["status"], ["apply"]], ids=" ".join)
def test_heavy_libraries_stay_unloaded(applied, arguments: list[str]) -> None:
    program = (
        "import json, sys\n"
        "from tsws.cli.main import cli\n"
        "try:\n    cli.main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        f"print(json.dumps([name for name in {HEAVY} if name in sys.modules]), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=applied.root, capture_output=True, text=True, check=True)
    assert json.loads(done.stderr) == []


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (TswsError("it broke"), 1, "error: it broke\n"),
        (TswsError("it broke", hint="mend it"), 1, "error: it broke\nhint: mend it\n"),
        (InterruptedByUser("stopped"), 130, "stopped\n"),
        (KeyboardInterrupt(), 130, "\ninterrupted\n"),
        (click.UsageError("no"), 2, "error: no\n"),
    ],
)
def test_errors_become_text_and_a_status(
    error: BaseException, status: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    assert boundary.guarded(fail) == status
    assert capsys.readouterr().err == text


def test_defect_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a defect")

    assert boundary.guarded(fail) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Traceback (most recent call last):"
    assert said[-2:] == ["ZeroDivisionError: a defect", boundary.REPORT_IT]


def test_reader_that_has_seen_enough_is_no_error(project) -> None:
    command = f"{sys.executable} -m tsws schema | head -n 1"
    done = subprocess.run(command, shell=True, cwd=project().root, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_asks_tsws(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert f"_TSWS_COMPLETE={shell}_complete" in result.stdout


def test_completion_knows_commands_and_addresses(project) -> None:
    def completed(words: str, count: int) -> list[str]:
        env = {"_TSWS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
        return [line.partition(",")[2] for line in new.process(env=env).out.splitlines()]

    new = project()
    assert completed("tsws va", 1) == ["validate"]
    assert completed("tsws plan run.", 2) == ["run.tiny"]
    assert completed("tsws plan t", 2) == ["tokenizer.small", "tokens.toy.small"]
