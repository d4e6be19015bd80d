"""The page's other half on CPython: page server, signalling, the bridge's end, demo tools."""
