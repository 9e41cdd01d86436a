from __future__ import annotations

from pathlib import Path

import pytest

from tsws.io.caches import cache_folder


@pytest.mark.parametrize(
    ("system", "environment", "expected"),
    [
        ("linux", {"TSWS_CACHE": "/here"}, "/here"),
        ("linux", {"XDG_CACHE_HOME": "/caches"}, "/caches/tsws"),
        ("linux", {"XDG_CACHE_HOME": "caches"}, "/somebody/.cache/tsws"),
        ("linux", {}, "/somebody/.cache/tsws"),
        ("darwin", {"XDG_CACHE_HOME": "/caches"}, "/somebody/Library/Caches/tsws"),
    ],
)
def test_caches_lie_where_the_system_has_them(monkeypatch, system, environment, expected):
    for name in ("TSWS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/somebody", **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tsws.io.caches.sys.platform", system)
    assert cache_folder() == Path(expected)
