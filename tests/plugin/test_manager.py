"""Plugins are loaded, and what is wrong with one is named and costs only that one."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from tsws.errors import PluginError
from tsws.io.entry_points import EntryPoint
from tsws.job import Event, Log
from tsws.plugin import Backend, Fetcher, NoOptions, Plugins, Volume, hookimpl
from tsws.plugin.manager import LoadedPlugin, collect

EVENT = Log(address="run.x", message="hello", time=0.0)


def backend(called: str) -> type[Backend]:
    return type(f"Backend_{called}", (Backend,), {"name": called})


@pytest.fixture
def offer() -> Iterator[Any]:
    """Make a module of hooks importable and give its entry point."""
    made = []

    def do(called: str, **hooks: Any) -> EntryPoint:
        module = ModuleType(f"made_up_{called}")
        for name, hook in hooks.items():
            setattr(module, name, hookimpl(hook))
        sys.modules[module.__name__] = module
        made.append(module.__name__)
        return EntryPoint(called, module.__name__, f"package-{called}", "1.0")

    yield do
    for name in made:
        del sys.modules[name]


def test_what_plugins_provide_is_found_by_name(offer: Any) -> None:
    volume = type("Attic", (Volume,), {"kind": "attic"})
    fetcher = type("Ftp", (Fetcher,), {"schemes": ("ftp", "ftps")})
    here = backend("here")
    one = offer(
        "one",
        tsws_backends=lambda: [here],
        tsws_volumes=lambda: [volume],
        tsws_fetchers=lambda: [fetcher],
        tsws_tables=lambda: {"attics": NoOptions},
        tsws_commands=nothing,
        tsws_event=lambda event: None,
    )
    plugins = collect([one])
    adds = ("backend here", "volume attic", "fetcher ftp", "fetcher ftps", "table attics", "commands", "event listener")
    assert plugins.loaded == (LoadedPlugin("one", "package-one", "1.0", adds),)
    assert dict(plugins.backends) == {"here": here}
    assert dict(plugins.volumes) == {"attic": volume}
    assert dict(plugins.fetchers) == {"ftp": fetcher, "ftps": fetcher}
    assert dict(plugins.tables) == {"attics": NoOptions}
    assert (dict(plugins.architectures), dict(plugins.exporters)) == ({}, {})


def test_first_by_name_keeps_what_two_provide(offer: Any) -> None:
    first, second = backend("here"), backend("here")
    points = [offer("b", tsws_backends=lambda: [second]), offer("a", tsws_backends=lambda: [first])]
    plugins = collect(points)
    assert plugins.backends["here"] is first
    assert [plugin.adds for plugin in plugins.loaded] == [
        ("backend here",),
        ("backend here (another plugin's is used)",),
    ]


def nothing() -> list[Any]:
    return []


def hears(heard: list[Event]) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        heard.append(event)

    return listen


def _raise(error: BaseException) -> Any:
    raise error


class NotABackend:
    name = "x"


@pytest.mark.parametrize(
    ("hooks", "error"),
    [
        ({"tsws_volumes": lambda: _raise(ValueError("oh"))}, "ValueError: oh"),
        ({"tsws_volumes": lambda: _raise(SystemExit(3))}, "SystemExit: 3"),
        ({"tsws_volumes": lambda: 7}, "TypeError: 'int' object is not iterable"),
        ({"tsws_event": lambda wrong: None}, "PluginValidationError: "),
        ({"tsws_misspelled": lambda: None}, "PluginValidationError: "),
        ({"tsws_fetchers": lambda: [type("F", (Fetcher,), {})]}, "AttributeError: "),
        ({"tsws_backends": lambda: [NotABackend]}, "PluginError: tsws_backends gave "),
        ({"tsws_tables": lambda: {"x": dict}}, "PluginError: tsws_tables gave <class 'dict'>"),
    ],
)
def test_plugin_that_fails_is_set_aside_whole_and_the_others_work(
    offer: Any, hooks: dict[str, Any], error: str
) -> None:
    heard: list[Event] = []
    bad = {"tsws_commands": lambda: _raise(AssertionError("asked")), "tsws_backends": lambda: [backend("bad")], **hooks}
    points = [
        offer("bad", **bad),
        offer("good", tsws_backends=lambda: [backend("good")], tsws_event=hears(heard)),
    ]
    plugins = collect(points)
    broken, working = plugins.loaded
    assert broken.error is not None
    assert broken.error.startswith(error)
    assert (broken.adds, working.error) == ((), None)
    assert set(plugins.backends) == {"good"}
    assert plugins.commands() == {}
    plugins.tell(EVENT)
    assert (heard, plugins.faults) == ([EVENT], ())


def test_plugin_that_can_not_be_imported_is_named(offer: Any) -> None:
    plugins = collect([EntryPoint("gone", "there_is_no_such_module", "p", "1"), offer("good")])
    assert plugins.loaded == (
        LoadedPlugin("gone", "p", "1", error="ModuleNotFoundError: No module named 'there_is_no_such_module'"),
        LoadedPlugin("good", "package-good", "1.0"),
    )


def test_hook_that_was_not_marked_is_named(offer: Any) -> None:
    point = offer("plain")
    sys.modules[point.value].tsws_backends = list  # type: ignore[attr-defined]
    (plugin,) = collect([point]).loaded
    assert plugin.error == "PluginError: tsws_backends is not decorated with tsws.plugin.hookimpl"


def test_second_entry_point_of_a_name_leaves_the_first_alone(offer: Any) -> None:
    first = offer("same", tsws_backends=lambda: [backend("here")])
    other = offer("other")
    plugins = collect([first, EntryPoint("same", other.value, "p", "1"), EntryPoint("twice", first.value, "p", "1")])
    assert [plugin.error is None for plugin in plugins.loaded] == [True, False, False]
    assert set(plugins.backends) == {"here"}


def test_listener_that_raises_hears_no_more_and_breaks_nothing(offer: Any) -> None:
    heard: dict[str, list[Event]] = {"bad": [], "good": []}

    def bad(event: Event) -> None:
        heard["bad"].append(event)
        raise RuntimeError("oh")

    points = [offer("bad", tsws_event=bad), offer("good", tsws_event=hears(heard["good"]))]
    plugins = collect(points)
    plugins.tell(EVENT)
    plugins.tell(EVENT)
    assert heard == {"bad": [EVENT], "good": [EVENT, EVENT]}
    assert plugins.faults == ("plugin bad: its tsws_event failed and is set aside: RuntimeError: oh",)


def test_listeners_are_called_one_at_a_time(offer: Any) -> None:
    inside = threading.Lock()

    def listen(event: Event) -> None:
        assert inside.acquire(blocking=False), "two threads in one listener"
        inside.release()

    plugins = collect([offer("one", tsws_event=listen)])
    threads = [threading.Thread(target=lambda: [plugins.tell(EVENT) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert plugins.faults == ()


def test_commands_of_one_plugin_that_fails_leave_the_others(offer: Any) -> None:
    import click

    hello = click.Command("hello")
    points = [
        offer("bad", tsws_commands=lambda: _raise(ImportError("no rich"))),
        offer("good", tsws_commands=lambda: [hello]),
        offer("late", tsws_commands=lambda: [click.Command("hello")]),
    ]
    plugins = collect(points)
    assert plugins.commands() == {"hello": hello}
    assert plugins.faults == ("plugin bad: its tsws_commands failed and is set aside: ImportError: no rich",)


def test_no_plugins_provide_nothing() -> None:
    plugins = Plugins()
    plugins.tell(EVENT)
    assert (plugins.commands(), plugins.faults) == ({}, ())


def test_fetcher_of_a_scheme(offer: Any) -> None:
    fetcher = type("Ftp", (Fetcher,), {"schemes": ("ftp",), "resolve": None, "open": None})
    plugins = collect([offer("one", tsws_fetchers=lambda: [fetcher])])
    assert isinstance(plugins.fetcher_for("FTP://host/file"), fetcher)
    with pytest.raises(PluginError) as caught:
        plugins.fetcher_for("gopher://host/file")
    assert (caught.value.message, caught.value.hint) == (
        "no plugin can fetch 'gopher://host/file': nothing knows the scheme 'gopher'",
        "known schemes: ftp; `tsws plugins` lists what is installed",
    )


def test_tracing_shows_each_hook_call(
    offer: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TSWS_TRACE_PLUGINS", "1")
    collect([offer("one", tsws_backends=nothing, tsws_event=lambda event: None)]).tell(EVENT)
    said = capfd.readouterr().err
    assert "tsws_backends" in said
    assert "tsws_event" in said
