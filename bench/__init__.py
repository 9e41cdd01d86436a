"""Benchmarks: tables for people, side by side in one run. They are no tests."""
