"""Whole processes with packages installed in a folder on their import path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HELLO = """
from tsws.plugin import Backend, hookimpl

class HelloBackend(Backend):
    name = "hello"

@hookimpl
def tsws_backends():
    return [HelloBackend]

@hookimpl
def tsws_commands():
    import click
    return [click.Command("hello")]
"""
ASK = """
import json, sys
from tsws.plugin import load_plugins
plugins = load_plugins()
assert load_plugins() is plugins
print(json.dumps({
    "loaded": [[one.name, one.package, one.version, list(one.adds), one.error] for one in plugins.loaded],
    "backends": sorted(plugins.backends),
    "commands": sorted(plugins.commands()),
}))
"""
HEAVY = ("torch", "numpy", "sentencepiece", "httpx", "huggingface_hub", "fsspec", "rich", "importlib.metadata", "click")


def ask(repository: Path, site: Path, **environment: str) -> dict[str, Any]:
    path = os.pathsep.join([str(site), str(repository), str(repository / "plugins")])
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stderr == ""
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_installed_package_adds_a_backend_and_a_command(repository: Path, site: Path, install: Any) -> None:
    install("tsws_hello", HELLO)
    answer = ask(repository, site)
    assert ["tsws-hello", "tsws-hello", "1.2.3", ["backend hello", "commands"], None] in answer["loaded"]
    assert {"hello", "local"} <= set(answer["backends"])
    assert answer["commands"] == ["hello"]


def test_package_that_fails_to_import_is_named_and_the_rest_works(repository: Path, site: Path, install: Any) -> None:
    install("tsws_broken", "import there_is_no_such_module")
    install("tsws_hello", HELLO)
    answer = ask(repository, site)
    error = "ModuleNotFoundError: No module named 'there_is_no_such_module'"
    assert ["tsws-broken", "tsws-broken", "1.2.3", [], error] in answer["loaded"]
    assert {"hello", "local"} <= set(answer["backends"])


def test_variable_limits_what_is_loaded(repository: Path, site: Path, install: Any) -> None:
    install("tsws_hello", HELLO)
    only = ask(repository, site, TSWS_LOAD_PLUGINS=" tsws-hello ,nobody")
    assert ([one[0] for one in only["loaded"]], only["backends"]) == (["tsws-hello"], ["hello"])
    none = ask(repository, site, TSWS_LOAD_PLUGINS="")
    assert none == {"loaded": [], "backends": [], "commands": []}


def test_loading_the_plugins_that_come_with_tsws_is_light() -> None:
    script = f"""
import sys
from tsws.plugin import load_plugins
load_plugins()
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"
