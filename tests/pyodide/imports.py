"""Imports every module of ours that there is and prints where each came from; runs in Pyodide."""

import importlib
import json
import pkgutil

import voicepilot

names = [name for _, name, _ in pkgutil.walk_packages(voicepilot.__path__, "voicepilot.")]
origins = {}
for name in ("voicepilot", *names):
    spec = importlib.import_module(name).__spec__
    origins[name] = {"loader": type(spec.loader).__name__, "origin": spec.origin}
print(json.dumps(origins))
