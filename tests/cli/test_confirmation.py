"""What is asked before it is done."""

from __future__ import annotations

import pytest

from tsws.cli.confirmation import confirm, reasons
from tsws.errors import TswsError
from tsws.reconcile.action import Action, Change, Estimate, Plan

FREE = Action("run.free", Change.UPDATE, "", estimate=Estimate(seconds=60.0))
DEAR = Action("run.dear", Change.CREATE, "", estimate=Estimate(seconds=3600.0, dollars=0.59))
DEARER = Action("run.dearer", Change.UPDATE, "", anew=True, estimate=Estimate(dollars=1.5))
ANEW = Action("tokenizer.t", Change.UPDATE, "replacement was asked for", anew=True)
NEW = Action("tokenizer.n", Change.CREATE, "replacement was asked for", anew=True)


@pytest.mark.parametrize(
    ("actions", "asked"),
    [
        ([FREE, NEW], []),
        ([FREE, DEAR], ["it spends about $0.59"]),
        ([ANEW], ["it makes tokenizer.t anew"]),
        ([DEAR, DEARER, ANEW], ["it spends about $2.09", "it makes run.dearer and tokenizer.t anew"]),
    ],
)
def test_spending_and_replacing_are_reasons_to_ask(actions: list[Action], asked: list[str]) -> None:
    assert reasons(Plan(tuple(actions))) == asked


def test_nothing_is_asked_without_a_reason_or_when_it_was_agreed_to() -> None:
    confirm([], yes=False)
    confirm(["it spends about $2.09"], yes=True)


def test_without_a_terminal_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(TswsError, match=r"^this has to be agreed to: it spends about \$2.09; it makes run.a anew$"):
        confirm(["it spends about $2.09", "it makes run.a anew"], yes=False)
