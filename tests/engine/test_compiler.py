from __future__ import annotations

import pytest

from tsws.engine import find_compiler
from tsws.errors import BuildError

ANSWERS = 'print("{name} 1.0\\nmore")\n'


@pytest.fixture
def only_these(script, tmp_path, monkeypatch):
    """Make a PATH with nothing but compilers of these names."""

    def make(*names):
        for name in names:
            script(name, ANSWERS.format(name=name))
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("CC", raising=False)

    return make


def test_the_usual_names_are_tried_in_order(only_these, tmp_path):
    only_these("clang")
    assert find_compiler().path == str(tmp_path / "clang")
    only_these("gcc")
    assert find_compiler().path == str(tmp_path / "gcc")
    only_these("cc")
    assert (find_compiler().path, find_compiler().version_line) == (str(tmp_path / "cc"), "cc 1.0")


def test_cc_of_the_environment_comes_first_and_the_preferred_before_it(only_these, tmp_path, monkeypatch):
    only_these("cc", "clang", "tcc")
    monkeypatch.setenv("CC", "clang")
    assert find_compiler().path == str(tmp_path / "clang")
    assert find_compiler("tcc").path == str(tmp_path / "tcc")
    assert find_compiler(str(tmp_path / "cc")).path == str(tmp_path / "cc")


def test_a_command_line_is_a_compiler_too(only_these, script, tmp_path):
    only_these("cc")
    script("ccache", 'print(" ".join(sys.argv[1:]))\n')
    compiler = find_compiler("ccache gcc -m64")
    assert compiler.command == [str(tmp_path / "ccache"), "gcc", "-m64"]
    assert compiler.version_line == "gcc -m64 --version"


def test_a_path_with_spaces_is_not_taken_apart(only_these, script, tmp_path):
    only_these("cc")
    script("my cc", ANSWERS.format(name="mine"))
    assert find_compiler(str(tmp_path / "my cc")).command == [str(tmp_path / "my cc")]


def test_a_broken_one_is_passed_over_unless_it_was_asked_for(only_these, script, tmp_path, monkeypatch):
    only_these("gcc")
    script("cc", "sys.exit(1)\n")
    assert find_compiler().path == str(tmp_path / "gcc")
    with pytest.raises(BuildError) as caught:
        find_compiler("cc")
    assert caught.value.message == "the C compiler 'cc' does not work"
    monkeypatch.setenv("CC", "gone 'cc")
    with pytest.raises(BuildError) as caught:
        find_compiler()
    assert caught.value.message == """the C compiler "gone 'cc", which $CC names, does not work"""


@pytest.mark.parametrize(
    ("system", "hint"),
    [
        ("darwin", "install Apple's command line tools: xcode-select --install"),
        ("win32", "use tsws inside WSL (wsl --install), and there: sudo apt-get install gcc libc6-dev"),
        (
            "linux",
            "install one, on Debian or Ubuntu: sudo apt-get install gcc libc6-dev; on Fedora: sudo dnf install gcc",
        ),
    ],
)
def test_without_any_the_hint_is_for_the_system(only_these, monkeypatch, system, hint):
    only_these()
    monkeypatch.setattr("tsws.engine.compiler.sys.platform", system)
    # shutil.which looks at the same sys: what it does on Windows is not wanted here.
    monkeypatch.setattr("tsws.engine.compiler.shutil.which", lambda name: None)
    with pytest.raises(BuildError) as caught:
        find_compiler()
    assert caught.value.message == "no C compiler was found: tried cc, gcc, clang, and $CC is not set"
    assert caught.value.hint == hint
