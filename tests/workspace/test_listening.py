"""Plugins hear every event of an apply, and can not break it."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tsws.io.entry_points import EntryPoint
from tsws.job import Event
from tsws.plugin import Plugins, hookimpl
from tsws.plugin.manager import collect
from tsws.workspace import Workspace

MANIFEST = '[dataset.mine]\nsource = "stories.txt"\n'


@pytest.fixture
def listening() -> Iterator[Callable[[Any], Plugins]]:
    """Plugins with one that has a listener."""
    module = types.ModuleType("made_up_listener")

    def make(hook: Any) -> Plugins:
        module.tsws_event = hookimpl(hook)
        sys.modules[module.__name__] = module
        return collect([EntryPoint("listener", module.__name__)])

    yield make
    sys.modules.pop(module.__name__, None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tinystories.toml").write_text(MANIFEST)
    (tmp_path / "stories.txt").write_text("One day.\n<|endoftext|>\nTwo days.\n")
    return tmp_path


def test_plugins_hear_what_the_caller_hears_in_the_same_order(root: Path, listening: Callable[..., Plugins]) -> None:
    theirs: list[Event] = []
    mine: list[Event] = []

    def tsws_event(event: Event) -> None:
        theirs.append(event)

    assert Workspace.open(root, plugins=listening(tsws_event)).apply(emit=mine.append).ok
    assert [type(event).__name__ for event in mine] == ["Started", "Done"]
    assert theirs == mine


def test_listener_that_raises_is_named_and_breaks_nothing(root: Path, listening: Callable[..., Plugins]) -> None:
    def tsws_event(event: Event) -> None:
        raise RuntimeError("no ears")

    workspace = Workspace.open(root, plugins=listening(tsws_event))
    assert workspace.apply().ok
    (fault,) = workspace.plugins.faults
    assert "listener" in fault
    assert "no ears" in fault
