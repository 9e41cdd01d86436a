"""A declarative workspace for tiny language models."""
