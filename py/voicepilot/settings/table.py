"""What can be set, under which names, within which limits, and what does a person read about it?

One row each. The name gives every other name: `vad_threshold` in the settings file is
`VOICEPILOT_VAD_THRESHOLD` in the environment, `--vad-threshold` on the command line and
`voicepilot.vadThreshold` in VS Code.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from .endpoint import normalised
from .refusal import SettingError, is_key, looks_secret, names_a_key, quoted

Value: TypeAlias = str | bool | int | float
Kind: TypeAlias = Literal["text", "endpoint", "choice", "number", "whole", "flag"]
Applies: TypeAlias = Literal["now", "next-call", "start"]

PREFIX: Final = "VOICEPILOT_"
"""How our own names in the environment begin."""

_WORDS: Final = {"true": True, "yes": True, "on": True, "1": True}
_FLAGS: Final = {**_WORDS, "false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that can be set.

    `choices` are all there are for a choice, and suggestions for a text. `least` and `most` are included
    and in `unit`s; for a text `most` is its length. `pattern` is what a text must match, `form` the same
    in words. `applies` says when a change takes effect: in a running call, with the next call, or when
    VoicePilot starts again.
    """

    name: str
    kind: Kind
    default: Value
    label: str
    description: str
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    step: float | None = None
    unit: str = ""
    pattern: str = ""
    form: str = ""
    well_known: tuple[str, ...] = ()
    secret: bool = False
    applies: Applies

    @property
    def variables(self) -> tuple[str, ...]:
        """The names in the environment, the one that counts first."""
        return (PREFIX + self.name.upper(), *self.well_known)

    @property
    def option(self) -> str:
        """The name on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def editor_name(self) -> str:
        """The name in VS Code's settings."""
        first, *others = self.name.split("_")
        return "voicepilot." + first + "".join(word.capitalize() for word in others)

    def taken(self, value: object) -> Value:
        """The value as this setting holds it. Raises SettingError where it cannot."""
        match self.kind:
            case "flag":
                if not isinstance(value, bool):
                    raise self.refused(f"is true or false, not {quoted(value)}")
                return value
            case "number" | "whole":
                return self._number(value)
            case "choice":
                if value not in self.choices:
                    raise self.refused(f"is one of {', '.join(self.choices)}, not {quoted(value)}")
                return str(value)
            case "text" | "endpoint":
                return self._text(value)

    def read(self, text: str) -> Value:
        """The value that words from the environment or the command line mean. Raises SettingError."""
        words = text.strip()
        match self.kind:
            case "flag":
                return self.taken(_FLAGS.get(words.lower(), words))
            case "number" | "whole":
                try:
                    return self.taken(int(words) if self.kind == "whole" else float(words))
                except ValueError as error:
                    if isinstance(error, SettingError):
                        raise
                    raise self.refused(f"is {self.range_in_words}, not {quoted(words)}") from None
            case "choice":
                return self.taken(words)
            case "text" | "endpoint":
                return self.taken(text)

    @property
    def range_in_words(self) -> str:
        """What a number may be: "a number from 0.25 to 1.5", with its unit."""
        kind = "a whole number" if self.kind == "whole" else "a number"
        unit = f" {self.unit}" if self.unit else ""
        return f"{kind} from {self.least:g} to {self.most:g}{unit}"

    def refused(self, reason: str) -> SettingError:
        """The refusal of a value, as a sentence that begins with the setting's name."""
        return SettingError(self.name, f"{self.name} {reason}.")

    def _number(self, value: object) -> Value:
        fits = isinstance(value, int if self.kind == "whole" else (int, float))
        if not fits or isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.refused(f"is {self.range_in_words}, not {quoted(value)}")
        least = -math.inf if self.least is None else self.least
        most = math.inf if self.most is None else self.most
        if not least <= value <= most:  # also false for nan
            raise self.refused(f"is {self.range_in_words}, not {quoted(value)}")
        return value if self.kind == "whole" else float(value)

    def _text(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.refused(f"is a text, not {quoted(value)}")
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            # What Python makes of bytes in the environment; it could be neither sent nor kept.
            raise self.refused("holds bytes that are no UTF-8 text")
        if self.kind == "endpoint":
            return normalised(value)
        text = value.strip()
        if self.most is not None and len(text) > self.most:
            raise self.refused(f"has {len(text)} letters; {self.most:g} are the most")
        if text and self.pattern:
            fits = re.fullmatch(self.pattern, text)
            if is_key(text) or (looks_secret(text) and not fits):
                raise self.refused("looks like a key; keys belong in AZURE_OPENAI_API_KEY only")
            if not fits:
                raise self.refused(f"is {self.form}, not {quoted(text)}")
        elif names_a_key(text):
            # It would be sent to the model, and read aloud if somebody asks for it.
            raise self.refused(
                "seems to hold an API key; that belongs in AZURE_OPENAI_API_KEY only"
            )
        return text


_DEPLOYMENT: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_GUID: Final = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"

TABLE: Final[tuple[Setting, ...]] = (
    Setting(
        name="endpoint",
        kind="endpoint",
        default="",
        label="Endpoint",
        description="The address of your Azure OpenAI or Foundry resource, in any form that the portal "
        "shows: only scheme and host of it count.",
        well_known=("AZURE_OPENAI_ENDPOINT",),
        applies="start",
    ),
    Setting(
        name="deployment",
        kind="text",
        default="",
        label="Deployment",
        description="The name that you gave to the deployment of a gpt-realtime model; it need not be the "
        "model's.",
        pattern=rf"(?!gpt-live){_DEPLOYMENT}",
        form="the name of a realtime deployment (letters, digits, - _ . and no gpt-live, which is "
        "another API)",
        well_known=("AZURE_OPENAI_DEPLOYMENT",),
        applies="next-call",
    ),
    Setting(
        name="transcription_deployment",
        kind="text",
        default="",
        label="Transcription deployment",
        description="The name of a deployment that writes down what you say, for example of "
        "gpt-live-transcribe; empty: your words are not written down.",
        pattern=_DEPLOYMENT,
        form="the name of a deployment (letters, digits, - _ .)",
        well_known=("AZURE_OPENAI_TRANSCRIPTION_DEPLOYMENT",),
        applies="now",
    ),
    Setting(
        name="credential",
        kind="choice",
        default="auto",
        label="Sign-in",
        description="How VoicePilot shows who you are. auto: an API key where one is set, else the "
        "editor's account, else default. "
        "default: what azure-identity finds (environment, workload, managed identity, Azure CLI ...). "
        "browser and device-code ask you to sign in. host: the editor hands in its account.",
        choices=(
            *("auto", "default", "browser", "device-code"),
            *("managed-identity", "workload-identity", "api-key", "host"),
        ),
        applies="start",
    ),
    Setting(
        name="tenant",
        kind="text",
        default="",
        label="Tenant",
        description="The Microsoft Entra tenant of the resource, its id or domain; empty: the one that "
        "you are signed in to.",
        pattern=r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}",
        form="a tenant's id or domain",
        well_known=("AZURE_TENANT_ID",),
        applies="start",
    ),
    Setting(
        name="client_id",
        kind="text",
        default="",
        label="Client id",
        description="The client id of a user-assigned managed identity, of a workload identity, or of "
        "the application that you sign in to; empty: the default one.",
        pattern=_GUID,
        form="a client id such as 00000000-0000-0000-0000-000000000000",
        well_known=("AZURE_CLIENT_ID",),
        applies="start",
    ),
    Setting(
        name="voice",
        kind="text",
        default="marin",
        label="Voice",
        description="The assistant's voice. marin and cedar need the GA protocol.",
        choices=(
            *("marin", "cedar", "alloy", "ash", "ballad"),
            *("coral", "echo", "sage", "shimmer", "verse"),
        ),
        pattern=r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}",
        form="the name of a voice",
        applies="next-call",
    ),
    Setting(
        name="speed",
        kind="number",
        default=1.0,
        label="Speed",
        description="How fast the assistant speaks; 1 is its natural speed.",
        least=0.25,
        most=1.5,
        step=0.05,
        applies="now",
    ),
    Setting(
        name="instructions",
        kind="text",
        default="",
        label="Instructions",
        description="What the assistant is told about its task and manner before a call.",
        most=32_000,
        applies="now",
    ),
    Setting(
        name="instructions_file",
        kind="text",
        default="",
        label="Instructions file",
        description="A text file with more instructions, read at the start of each call. A relative path "
        "begins in the folder in which VoicePilot was started.",
        most=1_000,
        pattern=r"[^\x00-\x1f]+",
        form="the path of a file",
        applies="next-call",
    ),
    Setting(
        name="language",
        kind="text",
        default="",
        label="Language",
        description="The language that you speak, as a code such as en or de; it makes the transcript of "
        "your words better. Empty: it is recognised.",
        pattern=r"[a-z]{2,3}",
        form="a language's code of two or three letters such as en, de or fil",
        applies="now",
    ),
    Setting(
        name="modality",
        kind="choice",
        default="audio",
        label="Answers",
        description="Whether the assistant answers aloud (with captions) or in writing only.",
        choices=("audio", "text"),
        applies="now",
    ),
    Setting(
        name="turn_detection",
        kind="choice",
        default="server_vad",
        label="End of turn",
        description="How the end of your turn is found. server_vad: by silence. semantic_vad: by what "
        "you say. push-to-talk: you hold a key or button while you speak.",
        choices=("server_vad", "semantic_vad", "push-to-talk"),
        applies="now",
    ),
    Setting(
        name="hold_form",
        kind="choice",
        default="hold",
        label="Push-to-talk button",
        description="hold: keep the button or the space bar pressed while you speak. toggle: one press "
        "begins your turn, the next one ends it.",
        choices=("hold", "toggle"),
        applies="now",
    ),
    Setting(
        name="vad_threshold",
        kind="number",
        default=0.5,
        label="Speech threshold",
        description="How sure server_vad must be that it hears speech; higher in noise.",
        least=0,
        most=1,
        step=0.05,
        applies="now",
    ),
    Setting(
        name="prefix_padding_ms",
        kind="whole",
        default=300,
        label="Sound before speech",
        description="How much sound before the recognised beginning belongs to your turn (server_vad).",
        least=0,
        most=5_000,
        step=50,
        unit="ms",
        applies="now",
    ),
    Setting(
        name="silence_duration_ms",
        kind="whole",
        default=200,
        label="Silence that ends a turn",
        description="How long a silence ends your turn (server_vad); 500 to 800 for people who pause to "
        "think.",
        least=0,
        most=10_000,
        step=50,
        unit="ms",
        applies="now",
    ),
    Setting(
        name="eagerness",
        kind="choice",
        default="auto",
        label="Eagerness",
        description="How soon semantic_vad answers: low waits longest (8 s at most), high shortest (2 s).",
        choices=("auto", "low", "medium", "high"),
        applies="now",
    ),
    Setting(
        name="noise_reduction",
        kind="choice",
        default="near_field",
        label="Noise reduction",
        description="For a headset near_field, for a laptop's or room's microphone far_field.",
        choices=("near_field", "far_field", "off"),
        applies="now",
    ),
    Setting(
        name="dialect",
        kind="choice",
        default="auto",
        label="Protocol",
        description="ga is the current protocol, preview the one of 2025. auto tries ga, and takes "
        "preview where the resource knows only that.",
        choices=("auto", "ga", "preview"),
        applies="start",
    ),
    Setting(
        name="preview_region",
        kind="text",
        default="",
        label="Region (preview)",
        description="The resource's region, which only the preview protocol needs.",
        choices=("eastus2", "swedencentral"),
        pattern=r"[a-z][a-z0-9]{1,39}",
        form="a region's short name such as eastus2",
        applies="start",
    ),
    Setting(
        name="signalling",
        kind="choice",
        default="relay",
        label="Signalling",
        description="relay: VoicePilot sends the page's offer, and no key is in the page. direct: the page "
        "gets a short-lived key and sends it itself.",
        choices=("relay", "direct"),
        applies="start",
    ),
    Setting(
        name="transport",
        kind="choice",
        default="auto",
        label="Transport",
        description="How sound travels. auto: webrtc, and websocket where WebRTC cannot connect.",
        choices=("auto", "webrtc", "websocket"),
        applies="next-call",
    ),
    Setting(
        name="key_policy",
        kind="choice",
        default="just-in-time",
        label="Short-lived key",
        description="just-in-time: made when you press Talk. standby: one is always ready, and renewed "
        "before it ends.",
        choices=("just-in-time", "standby"),
        applies="start",
    ),
    Setting(
        name="sideband",
        kind="flag",
        default=False,
        label="Second line",
        description="VoicePilot itself also joins the call, for changes of the settings in a running call "
        "and for large items.",
        applies="next-call",
    ),
    Setting(
        name="transcripts",
        kind="flag",
        default=True,
        label="Keep transcripts",
        description="What is said in calls is written down on this computer, without sound, so that it "
        "can be found again.",
        applies="start",
    ),
    Setting(
        name="port",
        kind="whole",
        default=8777,
        label="Page's port",
        description="The page's port on 127.0.0.1; 0 takes a free one.",
        least=0,
        most=65_535,
        applies="start",
    ),
)

BY_NAME: Final = MappingProxyType({each.name: each for each in TABLE})
DEFAULTS: Final = MappingProxyType({each.name: each.default for each in TABLE})


def setting(name: str) -> Setting:
    """The row of this name. Raises SettingError, with the nearest name, where there is none."""
    if name in BY_NAME:
        return BY_NAME[name]
    raise unknown(name)


def unknown(name: str) -> SettingError:
    """The refusal of a name that no setting has."""
    near = nearest(name)
    hint = f"; did you mean {near}?" if near else "."
    return SettingError(name, f"There is no setting {quoted(name)}{hint}")


def nearest(name: str, likeness: float = 0.6) -> str:
    """The setting's name that is most like this one, "" where none is so much (0 to 1)."""
    import difflib

    return next(iter(difflib.get_close_matches(name, BY_NAME, n=1, cutoff=likeness)), "")
