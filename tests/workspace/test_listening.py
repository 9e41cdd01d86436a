"""Plugins hear every event of an apply, and can not break it."""

from __future__ import annotations

import types
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tsws.job import Event, Log
from tsws.plugin import Plugins, hookimpl
from tsws.plugin.manager import collect
from tsws.workspace import Workspace

MANIFEST = '[dataset.mine]\nsource = "stories.txt"\n'


class Here(EntryPoint):
    """An entry point whose object is there already."""

    def load(self) -> object:
        return LISTENER


LISTENER = types.SimpleNamespace()


def listening(hook: object) -> Plugins:
    LISTENER.tsws_event = hook
    return collect([Here(name="listener", value="listener", group="tsws")])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tinystories.toml").write_text(MANIFEST)
    (tmp_path / "stories.txt").write_text("One day.\n<|endoftext|>\nTwo days.\n")
    return tmp_path


def test_plugins_hear_what_the_caller_hears_in_the_same_order(root: Path) -> None:
    theirs: list[Event] = []
    mine: list[Event] = []

    @hookimpl
    def tsws_event(event: Event) -> None:
        theirs.append(event)

    assert Workspace.open(root, plugins=listening(tsws_event)).apply(emit=mine.append).ok
    assert [type(event).__name__ for event in mine] == ["Started", "Done"]
    assert theirs == mine


def test_listener_that_raises_is_named_once_and_breaks_nothing(root: Path) -> None:
    mine: list[Event] = []

    @hookimpl
    def tsws_event(event: Event) -> None:
        raise RuntimeError("no ears")

    assert Workspace.open(root, plugins=listening(tsws_event)).apply(emit=mine.append).ok
    said = [event.message for event in mine if isinstance(event, Log)]
    assert said == ["a plugin's listener failed and hears nothing more: RuntimeError: no ears"]
