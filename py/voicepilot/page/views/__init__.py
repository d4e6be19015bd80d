"""What a person sees. Each view fills one part of `webview/index.html` and draws only what changed.

Views decide nothing: they draw the state they are given and pass on what the person wants (`intents`).
"""
