"""Programs: what is built, from what, and what makes them stale."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.fixtures.hub import HubServer
from tests.resources.conftest import Place
from tsws.engine import find_compiler
from tsws.reconcile.action import Change

HELLO = '#include <stdio.h>\n#ifndef WORD\n#define WORD "hello"\n#endif\nint main(void) { puts(WORD); return 0; }\n'


def says(place: Place, program: str) -> str:
    done = subprocess.run([place.root / program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_foreign_source_is_built_and_stays_where_it_is(place: Place) -> None:
    place.write("src/hello.c", HELLO)
    place.manifest('[program.hello]\nsource = "src/hello.c"\npath = "bin/hello"\n')
    place.make()
    assert says(place, "bin/hello") == "hello"
    assert [output.path for output in place.record("program.hello").outputs] == ["bin/hello"]
    place.write("src/hello.c", HELLO.replace("hello", "goodbye"))
    place.make()
    assert says(place, "bin/hello") == "goodbye"


def test_a_fetched_source_is_published_beside_the_program(place: Place, hub: HubServer) -> None:
    url = hub.add("some/hello.c", HELLO.encode())
    place.manifest(f'[program.hi]\nsource = "{url}"\n')
    place.make()
    assert says(place, "hi") == "hello"
    assert (place.root / "hi.c").read_text() == HELLO


def test_a_change_of_flags_builds_again_and_nothing_else_does(place: Place) -> None:
    place.write("hello.c", HELLO)
    place.manifest('[program.hi]\nsource = "hello.c"\n')
    place.make()
    assert not place.open().plan().changes
    place.manifest('[program.hi]\nsource = "hello.c"\nflags = ["-DWORD=\\"bye\\""]\n')
    action = place.open().plan()["program.hi"]
    assert (action.change, [field.path for field in action.fields]) == (Change.UPDATE, ["flags"])
    place.make()
    assert says(place, "hi") == "bye"


def test_another_compiler_builds_again(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("hello.c", HELLO)
    place.manifest('[program.hi]\nsource = "hello.c"\n')
    place.make()
    real = find_compiler().path
    other = tmp_path / "other-cc"
    other.write_text(f'#!/bin/sh\ncase "$1" in --version) echo "other 2.0";; *) exec {real} "$@";; esac\n')
    other.chmod(0o755)
    monkeypatch.setenv("CC", str(other))
    action = place.open().plan()["program.hi"]
    assert [(field.path, field.new) for field in action.fields] == [("compiler", "other 2.0")]
    place.make()
    assert place.record("program.hi").notes == {"compiler": "other 2.0"}


def test_without_a_compiler_it_is_blocked_with_what_to_do(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.manifest("[program.hi]\n")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    action = place.open().plan()["program.hi"]
    assert action.change is Change.BLOCKED
    assert action.reason.startswith("no C compiler was found")
    assert action.hint
    assert place.failure().hint == action.hint


@pytest.mark.parametrize("source", ["src/*.c", "src/"])
def test_several_sources_are_refused(place: Place, source: str) -> None:
    place.write("src/a.c", HELLO)
    place.write("src/b.c", HELLO)
    place.manifest(f'[program.hi]\nsource = "{source}"\n')
    assert place.failure().message == f"program.hi: {source} names 2 files, expected one C file"


def test_what_the_compiler_says_is_shown(place: Place) -> None:
    place.write("hello.c", "int main(void) { return wrong; }\n")
    place.manifest('[program.hi]\nsource = "hello.c"\n')
    assert "wrong" in place.failure().message
    assert not (place.root / "hi").exists()
