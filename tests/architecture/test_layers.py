"""The house stands as ``docs/design.md`` says: a room imports only from floors below its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from house import House, Module, assert_none, circle, definitions, floors, layer_faults, parse, plugin_faults, prints

LONGEST = 300
"""Lines of a module; a longer one has more than one reason to exist."""


def test_every_room_has_a_floor_and_every_floor_a_room(house: House) -> None:
    rooms = {module.room for module in house.modules.values() if module.room.startswith("tsws.")}
    assert rooms - {"tsws.testing"} == set(house.floors)
    assert {"tsws.plugin", "tsws.errors"} <= house.for_plugins


def test_imports_go_down(house: House) -> None:
    assert_none(layer_faults(house))


def test_plugins_import_what_a_strangers_plugin_may(house: House) -> None:
    assert_none(plugin_faults(house))


def test_no_modules_import_each_other_in_a_circle(house: House) -> None:
    assert circle(house) is None


def test_init_files_hand_names_on_and_define_nothing(house: House) -> None:
    packages = [module for module in house.modules.values() if module.is_package]
    # A plugin's hooks stand in its own; the conformance suites have to tell pytest about theirs.
    rooms = [one for one in packages if not one.name.startswith(("tsws_", "tsws.testing"))]
    assert_none([fault for module in rooms for fault in definitions(module)])


def test_only_the_command_line_prints(house: House) -> None:
    # The conformance suites have a worker of their own, which is a program.
    below = [module for module in house.modules.values() if module.room not in {"tsws.cli", "tsws.testing"}]
    assert_none([fault for module in below for fault in prints(module)])


def test_modules_are_short(house: House) -> None:
    lengths = {name: len(module.path.read_text().splitlines()) for name, module in house.modules.items()}
    assert_none([f"{name} has {length} lines" for name, length in lengths.items() if length > LONGEST])


# --- that these tests can fail ---


def small_house(**sources: str) -> House:
    """A house of made-up modules; ``__`` in a name stands for a dot."""
    modules = {}
    for key, source in sources.items():
        name = key.replace("__", ".")
        is_package = any(other.replace("__", ".").startswith(f"{name}.") for other in sources)
        modules[name] = Module(name, Path(f"{key}.py"), ast.parse(source), is_package)
    return House(modules, {"tsws.low": 1, "tsws.left": 2, "tsws.right": 2, "tsws.high": 3}, {"tsws.plugin"})


@pytest.mark.parametrize(
    "source",
    [
        "import tsws.high",
        "from tsws import high",
        "from tsws.high.thing import name",
        "from ..high import thing",
        "def f():\n    from tsws.right import x",
        "if TYPE_CHECKING:\n    from tsws.high import x",
        "from tsws.testing import suite",
        "import tsws_plugin",
        "from tsws import Workspace",
    ],
)
def test_import_that_does_not_go_down_is_found(source: str) -> None:
    rooms = dict.fromkeys(("tsws", "tsws__low", "tsws__right", "tsws__high", "tsws__high__thing", "tsws__testing"), "")
    house = small_house(**rooms, tsws__left="", tsws__left__module=source, tsws_plugin="")
    assert len(layer_faults(house)) == 1


def test_import_that_goes_down_is_fine() -> None:
    source = "import os\nfrom tsws.low import x\nfrom tsws.left.other import y\nfrom .other import z"
    house = small_house(tsws="", tsws__low="x = 1", tsws__left="", tsws__left__module=source, tsws__left__other="")
    assert (layer_faults(house), circle(house)) == ([], None)


def test_circle_is_found_also_through_a_function() -> None:
    house = small_house(tsws__low__a="def f():\n    import tsws.low.b", tsws__low__b="from tsws.low.a import f")
    assert circle(house) == ["tsws.low.a", "tsws.low.b", "tsws.low.a"]


def test_plugin_that_reaches_too_deep_is_found() -> None:
    house = small_house(tsws="", tsws__high="", tsws__plugin="", tsws_x="from tsws.plugin import a\nimport tsws.high")
    assert plugin_faults(house) == ["tsws_x:2 imports tsws.high"]


def test_definition_and_print_are_found(tmp_path: Path) -> None:
    path = tmp_path / "__init__.py"
    path.write_text(
        '"""Doc."""\nfrom a import b\nif TYPE_CHECKING:\n    import c\n__all__ = ["b"]\nX = 1\nprint(X)\n'
        "def __getattr__(name): ...\ndef other(): ...\n"
    )
    module = parse(Path("tsws/__init__.py"), path)
    assert definitions(module) == ["tsws:6 X = 1", "tsws:7 print(X)", "tsws:9 def other():"]
    assert prints(module) == ["tsws:7 print(X)"]


def test_table_of_the_design_is_read() -> None:
    table = "| floor | room | what |\n| --- | --- | --- |\n| 2 | `tsws/io/` | files |\n| 1 | `tsws/errors.py`, `tsws/version.py` | x |\n"
    assert floors(table) == {"tsws.io": 2, "tsws.errors": 1, "tsws.version": 1}
