"""Fixtures for the text rooms."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsws.text.tokenizer import train_tokenizer
from tsws.text.toy_stories import story


@pytest.fixture(scope="session")
def toy_texts() -> list[str]:
    """Some toy stories."""
    return [story(0, index).text for index in range(400)]


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory, toy_texts: list[str]) -> Path:
    """A tokenizer of 400 pieces, trained on them."""
    path = tmp_path_factory.mktemp("tokenizer") / "toy.model"
    train_tokenizer(toy_texts, path, vocab_size=400)
    return path


@pytest.fixture(scope="session")
def character_model(tmp_path_factory: pytest.TempPathFactory, toy_texts: list[str]) -> Path:
    """A tokenizer whose ordinary pieces are single characters, without byte fallback."""
    characters = {character for text in toy_texts for character in text if not character.isspace()}
    path = tmp_path_factory.mktemp("tokenizer") / "characters.model"
    # <unk>, <s>, </s>, U+2581, and one of each
    train_tokenizer(toy_texts, path, vocab_size=4 + len(characters), byte_fallback=False)
    return path


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the many examples of a property."""
    return tmp_path_factory.mktemp("scratch")
