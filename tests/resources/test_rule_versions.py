"""What a rule makes carries a version; the rooms below say when it has to rise."""

from __future__ import annotations

from tsws.resources.dataset import ToyStoriesRule
from tsws.resources.tokens import TokensRule
from tsws.text import tokenize, toy_stories


def test_new_toy_stories_make_old_ones_stale() -> None:
    assert ToyStoriesRule.version == toy_stories.RULE_VERSION


def test_new_shards_make_old_ones_stale() -> None:
    assert TokensRule.version == tokenize.RULE_VERSION
