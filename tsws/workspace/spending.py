"""Spending asks first."""

from __future__ import annotations

from tsws.errors import PlanError
from tsws.reconcile.action import Plan


def dollars(plan: Plan) -> float:
    """What a plan will cost, as far as its estimates know."""
    return sum(action.estimate.dollars or 0.0 for action in plan.changes if action.estimate is not None)


def check_spending(plan: Plan, max_cost: float | None) -> None:
    """Refuse a plan that is estimated to cost more than allowed.

    Raises:
        PlanError: it is.
    """
    cost = dollars(plan)
    if max_cost is not None and cost > max_cost:
        raise PlanError(
            f"the plan is estimated to cost {cost:.2f} $, more than the {max_cost:.2f} $ that are allowed",
            hint="raise --max-cost, or choose fewer iterations or a cheaper machine",
        )
