"""The messages between page and backend: JSON-RPC 2.0 (`jsonrpc`), one schema (`messages`).

A refusal made by us carries a `voicepilot.protocol.problems.Problem` as `data`
(`Problem.from_json(refusal.data)`).
"""
