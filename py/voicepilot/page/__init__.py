"""What runs in the browser: microphone, peer connection, sound and views, in Python on Pyodide.

`app.start` is called by `webview/loader.mjs`. Only `seam` touches JavaScript; `scope`, `devices`,
`refusals`, `link_statistics`, `event_log` and `views.wording` are pure and run on CPython as well.
"""
