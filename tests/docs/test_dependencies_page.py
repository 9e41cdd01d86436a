"""The page of the dependencies, ``pyproject.toml`` and the source agree."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest

from tests.docs.dependencies import SECTIONS, declared, imports
from tests.docs.pages import REPOSITORY, page

DEPENDENCIES = page("docs/dependencies.md")
OURS = {path.name for path in (REPOSITORY / "plugins").iterdir()} | {"tsws"}
BROUGHT_BY_MODAL = {"modal_proto"}
"""The client's own messages, in the same package."""
NOT_AT_RUN_TIME = {"pytest", "_typeshed"}
"""Imported by ``tsws.testing``, which only plugin authors' tests import; and what only type checkers know."""


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_dependency_has_its_section_and_no_other_has(heading: str) -> None:
    shown = re.findall(r"^### (.+)$", DEPENDENCIES.part(f"## {heading}").text, re.MULTILINE)
    assert sorted(shown) == declared(*SECTIONS[heading])


def test_every_import_is_declared_and_every_declaration_is_imported() -> None:
    strangers = set(imports()) - set(sys.stdlib_module_names) - OURS - NOT_AT_RUN_TIME - BROUGHT_BY_MODAL
    extras = [name for extra in ("modal", "plot") for name in declared("project", "optional-dependencies", extra)]
    wanted = [*declared("project", "dependencies"), *extras]
    assert strangers == {name.replace("-", "_") for name in wanted}


@pytest.mark.parametrize(
    ("package", "needs"),
    [
        ("huggingface_hub", {"click", "filelock", "fsspec", "httpx2"}),
        ("torch", {"filelock", "fsspec"}),
        ("pytest", {"pluggy"}),
        ("click", set()),
        ("msgspec", set()),
    ],
)
def test_what_the_page_says_of_their_own_dependencies_is_so(package: str, needs: set[str]) -> None:
    try:
        found = requires(package) or []
    except PackageNotFoundError:
        pytest.fail(f"{package} is not installed")
    always = {re.split(r"[<>=!~\[; (]", one)[0] for one in found if "extra ==" not in one and "sys_platform" not in one}
    assert needs <= always
    if not needs:
        assert {one for one in always if one not in {"colorama"}} == set()


def test_quick_commands_load_none_of_the_heavy_ones(applied: Path) -> None:
    sentence = next(line for line in DEPENDENCIES.text.splitlines() if line.startswith("where they are used:"))
    heavy = re.findall(r"\b(torch|numpy|sentencepiece|huggingface_hub|httpx2|fsspec)\b", sentence)
    assert len(heavy) == 6
    script = f"""
import sys
from tsws.cli.main import main
sys.argv = ["tsws", *sys.argv[1:]]
try:
    main()
finally:
    print([name for name in {heavy} if name in sys.modules])
"""
    for arguments in (["--help"], ["-C", str(applied), "plan"]):
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
        assert done.stdout.splitlines()[-1] == "[]", done.stderr
