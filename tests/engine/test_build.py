from __future__ import annotations

import subprocess

import pytest

from tsws.engine import DEFAULT_FLAGS, build_identity, build_program, effective_flags, find_compiler
from tsws.errors import BuildError

ANSWER = "int main(void) { return STATUS; }\n"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "answer.c"
    path.write_text(ANSWER)
    return path


def listed(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_program_is_built_with_the_users_flags(source, tmp_path):
    destination = tmp_path / "deep" / "answer"
    build_program(source, destination, compiler=find_compiler(), flags=["-DSTATUS=7"])
    assert subprocess.run([destination], check=False).returncode == 7
    assert listed(destination.parent) == ["answer"]


def test_a_program_in_use_is_replaced(source, tmp_path):
    destination = tmp_path / "answer"
    for status in (3, 4):
        build_program(source, destination, compiler=find_compiler(), flags=[f"-DSTATUS={status}"])
        assert subprocess.run([destination], check=False).returncode == status


def test_a_mistake_is_told_in_the_compilers_words_and_leaves_the_old_program(source, tmp_path):
    destination = tmp_path / "out" / "answer"
    destination.parent.mkdir()
    destination.write_text("the old one")
    compiler = find_compiler()
    with pytest.raises(BuildError) as caught:
        build_program(source, destination, compiler=compiler)
    first, *lines = caught.value.message.splitlines()
    assert first == (f"{source}: could not be compiled by {compiler.path} ({compiler.version_line}); its last lines:")
    assert any("STATUS" in line and "error" in line for line in lines)
    assert caught.value.hint
    assert listed(destination.parent) == ["answer"]
    assert destination.read_text() == "the old one"


@pytest.fixture
def own(script, monkeypatch):
    """Make a script the user's own compiler."""

    def make(name, body):
        monkeypatch.setenv("CC", str(script(name, body)))
        return find_compiler()

    return make


def test_only_the_last_lines_are_told(source, own, tmp_path):
    noisy = own("noisy", 'print("\\n".join(f"line {i}" for i in range(100)))\nsys.exit("--version" not in sys.argv)\n')
    with pytest.raises(BuildError) as caught:
        build_program(source, tmp_path / "answer", compiler=noisy)
    assert caught.value.message.splitlines()[1:] == [f"line {i}" for i in range(80, 100)]


def test_a_compiler_that_refuses_native_code_is_not_asked_for_it(source, own, tmp_path):
    real = find_compiler().path
    compiler = own(
        "picky",
        'if "-march=native" in sys.argv:\n    sys.exit("error: unsupported argument")\n'
        f"os.execv({real!r}, [{real!r}, *sys.argv[1:]])\n",
    )
    assert effective_flags(compiler, ["-DSTATUS=5"]) == [
        "-O3",
        "-std=gnu11",
        "-ffp-contract=off",
        "-pthread",
        "-DSTATUS=5",
    ]
    build_program(source, tmp_path / "answer", compiler=compiler, flags=["-DSTATUS=5"])
    assert subprocess.run([tmp_path / "answer"], check=False).returncode == 5


def test_a_compiler_that_vanished_is_an_error(source, own, tmp_path):
    compiler = own("brief", 'print("brief 1")\n')
    (tmp_path / "brief").unlink()
    with pytest.raises(BuildError) as caught:
        build_program(source, tmp_path / "answer", compiler=compiler)
    assert caught.value.message == f"the C compiler {tmp_path}/brief could not be run: No such file or directory"
    assert caught.value.hint == "install it again, or name another with the program's key compiler, or in $CC"


def test_the_identity_is_all_that_changes_the_program():
    compiler = find_compiler()
    plain = build_identity(compiler)
    assert plain == build_identity(find_compiler())
    assert sorted(plain) == ["compiler", "flags", "machine", "processor", "system"]
    assert plain["compiler"] == compiler.version_line
    assert build_identity(compiler, ["-g"]) == plain | {"flags": [*DEFAULT_FLAGS, "-g"]}
