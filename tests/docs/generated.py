"""The parts of the pages that are generated from the code, by name."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import click
import msgspec

from tests.docs.dependencies import where
from tests.docs.pages import REPOSITORY
from tsws import plugin
from tsws.cli import documents
from tsws.cli.main import cli
from tsws.cli.session import Session, global_options
from tsws.cli.table import SECTIONS
from tsws.fetch import lockfile
from tsws.job import events
from tsws.manifest.reference import keys_markdown, reference_markdown
from tsws.manifest.schema import DIALECT
from tsws.plugin import hookspecs
from tsws.reconcile import record

SCHEMAS = {
    "docs/schemas/plan.json": documents.PlanDocument,
    "docs/schemas/status.json": documents.StatusDocument,
}
"""Published schemas: the file, and the document that it describes."""

_STRUCTS = (documents, events, record, lockfile)


def render(name: str) -> str:
    """The text of one generated part, as Markdown with a newline at its end.

    Raises:
        KeyError: nothing is generated under this name.
    """
    kind, _, what = name.partition(" ")
    renderers: dict[str, Callable[[], str]] = {
        "manifest-reference": reference_markdown,
        "commands": commands,
        "options": lambda: options(what),
        "hook": lambda: function(getattr(hookspecs, what)),
        "interface": lambda: interface(getattr(plugin, what)),
        "file": lambda: f"```python\n{(REPOSITORY / what).read_text()}```\n\n",
        "imports": lambda: where(what),
        "keys": lambda: keys(next(getattr(module, what) for module in _STRUCTS if hasattr(module, what))),
        "events": lambda: "\n".join(event(kind) for kind in events.Event.__args__),
    }
    return renderers[kind]()


def schema(path: str) -> str:
    """A published JSON schema (draft 2020-12)."""
    return json.dumps({"$schema": DIALECT, **msgspec.json.schema(SCHEMAS[path])}, indent=1) + "\n"


def options(what: str) -> str:
    """The keys of a first-party plugin's table: ``backend modal``."""
    kind, _, name = what.partition(" ")
    plugins = plugin.load_plugins()
    found: type[plugin.Backend | plugin.Volume] = plugins.backends[name] if kind == "backend" else plugins.volumes[name]
    return keys_markdown(found.Options)


# --- commands ---


def commands() -> str:
    """A section for every command, in the order of the help."""
    parts = []
    for title, names in SECTIONS.items():
        parts.append(f"## {title}\n")
        parts += [command(import_module(f"tsws.cli.{name}").command) for name in names]
    return "\n".join(parts)


def command(shown: click.Command) -> str:
    """What one command does, its usage, and its options."""
    context = click.Context(shown, info_name=shown.name, parent=click.Context(cli, info_name="tsws"), obj=Session())
    pieces = " ".join(shown.collect_usage_pieces(context))
    common = {parameter.name for parameter in global_options(hidden=True)}
    options = [one for one in shown.params if isinstance(one, click.Option) and one.name not in common]
    rows = [row for one in options if (row := one.get_help_record(context))]
    lines = [f"### `tsws {shown.name}`", "", _paragraphs(shown.help or ""), "", f"    tsws {shown.name} {pieces}", ""]
    if rows:
        lines += [
            "| option | |",
            "| --- | --- |",
            *(f"| `{_cell(names)}` | {_cell(words)} |" for names, words in rows),
            "",
        ]
    return "\n".join(lines)


def _paragraphs(text: str) -> str:
    shown = []
    for part in inspect.cleandoc(text).split("\n\n"):
        if part.startswith("\b\n"):
            shown.append(textwrap.indent(part[2:], "    "))
        else:
            shown.append(" ".join(part.split()))
    return "\n\n".join(shown)


# --- structs ---


def keys(struct: type[Any]) -> str:
    """A table of a struct's keys."""
    rows = [f"| `{name}` | {_cell(kind)} | {_cell(words)} |" for name, kind, words in fields(struct)]
    return "\n".join(["| key | type | |", "| --- | --- | --- |", *rows, ""])


def event(struct: type[Any]) -> str:
    """One kind of event: a sentence and its keys."""
    tag = struct.__struct_config__.tag
    words = " ".join(inspect.cleandoc(struct.__doc__ or "").replace("``", "`").split())
    shown = [f"| `{name}` | {_cell(kind)} | {_cell(text)} |" for name, kind, text in fields(struct)]
    table = ["", "| key | type | |", "| --- | --- | --- |", *shown] if shown else []
    return "\n".join([f"**`{tag}`**: {words}", *table, ""])


def fields(struct: type[Any]) -> Iterator[tuple[str, str, str]]:
    """Name, type and docstring of each field that a class body declares."""
    for node, words in _documented(struct):
        if isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target), f"`{ast.unparse(node.annotation)}`", words


# --- hooks and interfaces ---


def function(hook: Any) -> str:
    """A function as it is declared, and its docstring."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(hook))).body
    assert isinstance(node, ast.FunctionDef)
    return "\n".join(["```python", f"{_header(node)}: ...", "```", "", _docstring(node), ""])


def interface(shown: type[Any]) -> str:
    """A class: what it is, and a row for each of its public members."""
    rows = []
    for node, words in _documented(shown):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            decorators = {ast.unparse(one) for one in node.decorator_list}
            signature = _header(node).removeprefix("def ").replace("(self, ", "(").replace("(self)", "()")
            kind = "required" if "abstractmethod" in decorators else ""
            name = signature.replace("()", "", 1) if "property" in decorators else signature
            rows.append(f"| `{_cell(name)}` | {kind} | {_cell(_docstring(node).partition(chr(10) * 2)[0])} |")
        elif isinstance(node, ast.AnnAssign):
            name = ast.unparse(node.target)
            kind = "" if node.value is not None else "required"
            default = f" = {ast.unparse(node.value)}" if node.value is not None else ""
            rows.append(f"| `{name}{default}` | {kind} | {_cell(words)} |")
    about = inspect.cleandoc(shown.__doc__ or "").split("\n\n>>>")[0].replace("``", "`")
    return "\n".join([" ".join(about.split()), "", "| member | | |", "| --- | --- | --- |", *rows, ""])


def _header(node: ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"def {node.name}({ast.unparse(node.args)}){returns}"


def _docstring(node: ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or "").replace("``", "`")


def _documented(shown: type[Any]) -> Iterator[tuple[ast.stmt, str]]:
    """The statements of a class body, each with the string that stands behind it."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(shown))).body
    assert isinstance(node, ast.ClassDef)
    for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
        words = following.value if isinstance(following, ast.Expr) else None
        text = words.value if isinstance(words, ast.Constant) and isinstance(words.value, str) else ""
        yield statement, inspect.cleandoc(text).replace("``", "`")


def _cell(text: str) -> str:
    """Text that may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")
