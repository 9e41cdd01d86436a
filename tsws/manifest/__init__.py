"""What should exist: specs, loading, checking, and the schema for editors."""

from tsws.manifest.load import Loaded, load, load_data
from tsws.manifest.problems import Location, MistakesError, Problem
from tsws.manifest.specs import Manifest

__all__ = ["Loaded", "Location", "Manifest", "MistakesError", "Problem", "load", "load_data"]
