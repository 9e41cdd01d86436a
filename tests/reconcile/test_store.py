"""Records on the disk: written whole, read back equal, refused when damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import FormatError
from tsws.reconcile.record import SCHEMA, OutputRecord, Record, fingerprint
from tsws.reconcile.store import Store, decode_record

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def record(address: str = "run.x") -> Record:
    output = OutputRecord(role="model", path="out/model.bin", size=3, sha256="a" * 64, mtime_ns=5)
    return Record(address=address, fingerprint="f" * 64, rule=1, identity={"dim": 64}, outputs=(output,))


def test_record_comes_back_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(record("run.x"))
    store.write(record("dataset.toy"))
    assert store.record("run.x") == record("run.x")
    assert list(store.addresses()) == ["dataset.toy", "run.x"]
    store.forget("run.x")
    store.forget("run.x")
    assert (store.record("run.x"), list(store.addresses())) == (None, ["dataset.toy"])


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"address": "run.x"}', b'{"schema": "one"}'])
def test_damaged_record_is_named(tmp_path: Path, data: bytes) -> None:
    store = Store(tmp_path)
    path = store.folder / "state" / "run.x.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    with pytest.raises(FormatError, match="is not a record") as caught:
        store.record("run.x")
    assert str(path) in caught.value.message


def test_record_of_a_newer_schema_is_refused() -> None:
    newer = b'{"schema": %d, "address": "a", "fingerprint": "f", "rule": 1, "identity": {}}' % (SCHEMA + 1)
    with pytest.raises(FormatError, match="newer tsws"):
        decode_record(newer, "a.json")


def test_digest_of_a_record_is_of_its_essential_bytes_wherever_they_lie() -> None:
    def made(path: str, sha256: str, log: str) -> str:
        outputs = (
            OutputRecord(role="model", path=path, size=1, sha256=sha256),
            OutputRecord(role="log", path="log", size=1, sha256=log, essential=False),
        )
        return Record(address="a", fingerprint="f", rule=1, identity={}, outputs=outputs).digest

    assert made("here", "s", "x") == made("there", "s", "y")
    assert made("here", "s", "x") != made("here", "t", "x")


def _reversed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _reversed(inner) for key, inner in reversed(value.items())}
    return [_reversed(inner) for inner in value] if isinstance(value, list) else value


@given(st.dictionaries(st.text(), JSON), st.dictionaries(st.text(), st.text()))
def test_fingerprint_does_not_care_for_the_order_of_keys(identity: dict, sources: dict) -> None:
    def of(identity: dict, sources: dict) -> str:
        return fingerprint(kind="run", rule=1, identity=identity, sources=sources, inputs=[("tokens", "0")])

    assert of(identity, sources) == of(_reversed(identity), _reversed(sources))


@given(JSON, JSON)
def test_fingerprint_tells_values_apart(one: object, other: object) -> None:
    def of(value: object) -> str:
        return fingerprint(kind="run", rule=1, identity={"value": value}, sources={}, inputs=[])

    assert (of(one) == of(other)) == (repr(one) == repr(other) or _canonical(one) == _canonical(other))


def _canonical(value: object) -> object:
    """Equal only for equal JSON: 1 is not 1.0, and True not 1."""
    if isinstance(value, dict):
        return {key: _canonical(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    return (type(value).__name__, repr(value))
