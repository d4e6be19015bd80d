"""The debugging page: what can be seen of a call, and tried on it, from a Python console.

Runs in the browser on top of the call page's own parts, under PyScript. `app` composes it, `browser`
is its door to PyScript, `interpreter` to Pyodide's console, `packages` to micropip. What needs no
browser stands apart and is tested without one: `timeline`, `series`, `recording`, `typing_in`.
"""
