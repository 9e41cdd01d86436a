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


def test_cc_of_the_environment_may_be_a_command_line(only_these, script, tmp_path, monkeypatch):
    only_these("cc")
    script("ccache", 'print(" ".join(sys.argv[1:]))\n')
    monkeypatch.setenv("CC", "ccache gcc -m64")
    compiler = find_compiler()
    assert compiler.command == [str(tmp_path / "ccache"), "gcc", "-m64"]
    assert compiler.version_line == "gcc -m64 --version"


def test_a_path_with_spaces_is_not_taken_apart(only_these, script, tmp_path, monkeypatch):
    only_these("cc")
    script("my cc", ANSWERS.format(name="mine"))
    monkeypatch.setenv("CC", str(tmp_path / "my cc"))
    assert find_compiler().command == [str(tmp_path / "my cc")]


@pytest.fixture
def trap(script, tmp_path, monkeypatch):
    """A folder that one is in, with a program called ``evil-cc`` that tells when it is run."""
    script("evil-cc", f"open({str(tmp_path / 'ran')!r}, 'w').close()\nprint('evil 1.0')\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "ran"


@pytest.mark.parametrize(
    "name",
    [
        "./evil-cc",
        "{folder}/evil-cc",
        "sh evil-cc",
        "evil-cc --version",
        "-evil-cc",
        ".",
        "",
        "evil-cc\n",
        "a/../evil-cc",
    ],
)
def test_a_preferred_one_that_is_more_than_a_name_is_refused_and_not_run(trap, name):
    name = name.replace("{folder}", str(trap.parent))
    with pytest.raises(BuildError) as caught:
        find_compiler(name)
    assert caught.value.message == f"the C compiler {name!r} is not the bare name of a program"
    assert caught.value.hint == (
        "name one that is on the PATH, such as gcc or clang-18; a path or a command line can stand in $CC"
    )
    assert not trap.exists()


@pytest.mark.parametrize("path", ["", ".", "/no/such/folder:", "/no/such/folder:."])
def test_the_folder_one_is_in_is_never_searched(trap, monkeypatch, path):
    monkeypatch.setenv("PATH", path)
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(BuildError) as caught:
        find_compiler("evil-cc")
    assert caught.value.message == "the C compiler 'evil-cc' does not work"
    (trap.parent / "evil-cc").rename(trap.parent / "cc")
    with pytest.raises(BuildError) as caught:
        find_compiler()
    assert caught.value.message == "no C compiler was found: tried cc, gcc, clang, and $CC is not set"
    assert not trap.exists()


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
    monkeypatch.setattr("tsws.engine.compiler.shutil.which", lambda name, path=None: None)
    with pytest.raises(BuildError) as caught:
        find_compiler()
    assert caught.value.message == "no C compiler was found: tried cc, gcc, clang, and $CC is not set"
    assert caught.value.hint == hint
