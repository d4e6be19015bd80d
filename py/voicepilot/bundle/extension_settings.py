"""How do the settings look in VS Code? ``python -m voicepilot.bundle.extension_settings`` writes them.

One source, ``settings.table``; a test compares what is committed. Written into ``extension/package.json``
(names, kinds, limits, scopes) and ``extension/package.nls.json`` (every word a person reads, so that it
can be translated).
"""

import json
from pathlib import Path
from typing import Any, Final

from voicepilot.settings.table import TABLE, Setting

EXTENSION: Final = Path(__file__).parents[3] / "extension"

_KINDS: Final = {"flag": "boolean", "number": "number", "whole": "integer"}

_OF_THE_MACHINE: Final = frozenset(
    {"endpoint", "credential", "tenant", "client_id", "preview_region"}
    | {"signalling", "key_policy", "transcripts", "port"}
)
"""What a workspace must not decide: to whom tokens go, who asks for them, and what is kept of calls."""

_TRUSTED_ONLY: Final = frozenset(
    {"deployment", "transcription_deployment", "instructions", "instructions_file", "sideband"}
)
"""What a workspace may decide once the person trusts it: what is told to the assistant, and what it costs."""

_OURS: Final[dict[str, dict[str, Any]]] = {
    "voicepilot.python": {"type": "string", "default": "", "scope": "machine"},
    "voicepilot.callPage": {
        "type": "string",
        "default": "auto",
        "enum": ["auto", "panel", "integrated-browser", "browser"],
        "scope": "machine",
    },
}
"""What only the extension host needs."""

_OUR_WORDS: Final = {
    "settings.python": "The Python that runs VoicePilot, which must be installed there. Empty: a private "
    "environment, made when it is first needed.",
    "settings.callPage": "Where the call page opens. auto: in the panel where it may use the microphone, "
    "else in VS Code's own browser, else in the system's.",
}


def contribution() -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Return the ``configuration``, the words it refers to, and the names that need a trusted workspace."""
    words = {"settings.title": "VoicePilot", **_OUR_WORDS}
    properties: dict[str, Any] = {}
    for each in TABLE:
        key = each.editor_name.replace("voicepilot.", "settings.")
        words[key] = f"{each.label}. {each.description}"
        properties[each.editor_name] = {**_property(each), "markdownDescription": f"%{key}%"}
    for name, found in _OURS.items():
        key = name.replace("voicepilot.", "settings.")
        properties[name] = {**found, "markdownDescription": f"%{key}%"}
    for order, found in enumerate(properties.values(), start=1):
        found["order"] = order
    restricted = [each.editor_name for each in TABLE if each.name in _TRUSTED_ONLY]
    return {"title": "%settings.title%", "properties": properties}, words, restricted


def written(
    package: dict[str, Any], words: dict[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return ``package.json`` and ``package.nls.json`` with the settings of now in them."""
    configuration, ours, restricted = contribution()
    capabilities = package["capabilities"]
    untrusted = {**capabilities["untrustedWorkspaces"], "restrictedConfigurations": restricted}
    package = {
        **package,
        "capabilities": {**capabilities, "untrustedWorkspaces": untrusted},
        "contributes": {**package["contributes"], "configuration": [configuration]},
    }
    others = {key: text for key, text in words.items() if not key.startswith("settings.")}
    return package, {**others, **ours}


def _property(setting: Setting) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": _KINDS.get(setting.kind, "string"),
        "default": setting.default,
        "scope": "machine" if setting.name in _OF_THE_MACHINE else "window",
    }
    if setting.kind == "choice":
        found["enum"] = list(setting.choices)
    elif setting.choices:
        found["examples"] = list(setting.choices)
    if setting.kind in ("number", "whole"):
        limits = {"minimum": setting.least, "maximum": setting.most}
        found |= {name: limit for name, limit in limits.items() if limit is not None}
    if setting.kind == "text":
        if setting.most is not None:
            found["maxLength"] = int(setting.most)
        if setting.pattern:
            found["pattern"] = f"^(?:{setting.pattern})?$"
            found["patternErrorMessage"] = f"{setting.label}: {setting.form}."
    if setting.name == "instructions":
        found["editPresentation"] = "multilineText"
    return found


def main() -> None:
    """Write both files."""
    paths = [EXTENSION / name for name in ("package.json", "package.nls.json")]
    package, words = written(*(json.loads(path.read_text("utf-8")) for path in paths))
    for path, content in zip(paths, (package, words), strict=True):
        path.write_text(f"{json.dumps(content, indent=2, ensure_ascii=False)}\n", "utf-8")


if __name__ == "__main__":
    main()
