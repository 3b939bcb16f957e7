"""The Python package `strongroom` as a user has it. A module of these tests has its name, and is back when it is imported."""

import importlib
import sys
from pathlib import Path


def _import():
    ours = sys.modules.pop("strongroom", None)
    path, sys.path = sys.path, [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]
    try:
        return importlib.import_module("strongroom")
    finally:
        sys.path = path
        if ours:
            sys.modules["strongroom"] = ours


package = _import()
