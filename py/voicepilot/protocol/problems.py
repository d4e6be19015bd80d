"""What can go wrong for a person, in words: a code, who can mend it, what happened, what to do next.

A `Problem` is the only form in which a failure reaches the screen. Its code is stable (tests, logs and
bug reports quote it); its sentences may change. The catalogue is the one place where they are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Mender(StrEnum):
    """Who can mend a problem."""

    USER = "user"
    ADMINISTRATOR = "administrator"
    SERVICE = "service"
    US = "us"


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure as a person reads it.

    `says` is one sentence that tells what happened, `next_step` one that tells what to do.
    `fatal` problems end the call; the others are shown beside it.
    """

    code: str
    mender: Mender
    says: str
    next_step: str
    fatal: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the form in which a problem crosses the bridge."""
        return {
            "code": self.code,
            "mender": self.mender.value,
            "says": self.says,
            "next_step": self.next_step,
            "fatal": self.fatal,
        }

    @classmethod
    def from_json(cls, data: object) -> Problem:
        """Read a problem that crossed the bridge; anything else becomes the problem `internal`."""
        if not isinstance(data, dict):
            return problem("internal", detail="an error without a description")
        texts = [data.get(name) for name in ("code", "mender", "says", "next_step")]
        if not all(isinstance(text, str) and text for text in texts):
            return problem("internal", detail="an error without a description")
        code, mender, says, next_step = map(str, texts)
        try:
            who = Mender(mender)
        except ValueError:
            who = Mender.US
        return cls(code, who, says, next_step, fatal=data.get("fatal") is not False)


_U, _A, _S, _V = Mender.USER, Mender.ADMINISTRATOR, Mender.SERVICE, Mender.US

# code: (who mends it, what happened, what to do, does it end the call)
_CATALOGUE: Final[dict[str, tuple[Mender, str, str, bool]]] = {
    "microphone-permission": (
        _U,
        "The browser was not allowed to use the microphone.",
        "Allow the microphone in the site settings beside the address bar, then press Talk again.",
        True,
    ),
    "microphone-policy": (
        _U,
        "This window may not use a microphone at all.",
        "Open the call page in your browser, where the microphone is allowed.",
        True,
    ),
    "microphone-missing": (
        _U,
        "No microphone was found.",
        "Connect a microphone, choose it under Microphone, then press Talk again.",
        True,
    ),
    "microphone-busy": (
        _U,
        "The microphone could not be opened; another program may be using it.",
        "Close the other program or choose another microphone, then press Talk again.",
        True,
    ),
    "microphone-silent": (
        _U,
        "The microphone delivers complete silence.",
        "Check its mute switch, or choose another one under Microphone.",
        False,
    ),
    "microphone-lost": (
        _U,
        "The microphone was disconnected.",
        "Connect it again or choose another one under Microphone.",
        False,
    ),
    "sound-blocked": (
        _U,
        "The browser holds back the sound of this page.",
        "Press Enable sound.",
        False,
    ),
    "sound-blocked-there": (
        _U,
        "The browser holds back the sound of the call page.",
        "Press Enable sound in the call page.",
        False,
    ),
    "call-elsewhere": (
        _U,
        "Another page of VoicePilot has the call.",
        "Go on there, or press Talk to have it here; then the call there ends.",
        False,
    ),
    "talk-there": (
        _U,
        "The call has a page of its own, where the microphone is allowed.",
        "Press Talk there.",
        False,
    ),
    "no-call-page": (
        _U,
        "No call page is open that could do this.",
        "Press Talk to open it.",
        False,
    ),
    "call-page-closed": (
        _U,
        "The page that had the call was closed, and the call has ended with it.",
        "Press Talk to open it again.",
        False,
    ),
    "mirror-incomplete": (
        _U,
        "A part of this call never came here, so it cannot be shown.",
        "Look at the call page; the next page that you open is shown here again.",
        False,
    ),
    "backend-unreachable": (
        _U,
        "The page lost its connection to VoicePilot on this computer.",
        "Check that the program in the terminal is still running; the page connects again by itself.",
        True,
    ),
    "page-not-allowed": (
        _U,
        "This page was opened without its key.",
        "Open the address that VoicePilot printed in the terminal; if it was used already, start "
        "VoicePilot again for a new one.",
        True,
    ),
    "service-unreachable": (
        _S,
        "The realtime service could not be reached.",
        "Check the network and that the service is running, then press Talk again.",
        True,
    ),
    "service-slow": (
        _S,
        "The realtime service did not answer within {seconds} seconds.",
        "Press Talk again; if it goes on, check the network and the service's status.",
        True,
    ),
    "host-unknown": (
        _A,
        "There is no host of the name {host}.",
        "Check the endpoint for a slip, and that network and VPN are on; a private resource has a name "
        "in its own network only.",
        True,
    ),
    "proxy-refused": (
        _A,
        "The proxy of this network does not let the call through {detail}.",
        "Check HTTPS_PROXY and the user and password in it, or name the service's host in NO_PROXY; "
        "then start VoicePilot again.",
        True,
    ),
    "websocket-refused": (
        _A,
        "Something between this computer and the realtime service lets HTTPS through, but no WebSocket "
        "{detail}.",
        "Ask who runs the network's proxy or gateway to let WebSockets to the service's host through; "
        "calls by WebRTC need none.",
        True,
    ),
    "proxy-malformed": (
        _U,
        "The proxy that this computer is set to use is no address of an HTTP proxy {detail}.",
        "Set HTTPS_PROXY to one like http://PROXY:8080, or take it away (also ALL_PROXY); then start "
        "VoicePilot again.",
        True,
    ),
    "connection-untrusted": (
        _A,
        "The connection to the realtime service cannot be trusted {detail}.",
        "If a proxy of this network opens encrypted connections, name the file with its certificate in "
        "SSL_CERT_FILE and start VoicePilot again; otherwise somebody may be listening.",
        True,
    ),
    "certificate-outdated": (
        _U,
        "The realtime service's certificate is not valid at the time that this computer's clock shows.",
        "Check date and time of this computer; if they are right, tell who runs the network's proxy.",
        True,
    ),
    "clock-wrong": (
        _U,
        "This computer's clock is {minutes} minutes off, and the service does not accept the sign-in "
        "{detail}.",
        "Let the system set date and time by itself, then press Talk again.",
        True,
    ),
    "instructions-unfit": (
        _U,
        "The instructions file {file} {detail}.",
        "Mend the file or name another as instructions_file in the settings, then press Talk again.",
        True,
    ),
    "service-refused": (
        _A,
        "The realtime service refused the call: {detail}",
        "Check the key, the role and the deployment name that VoicePilot was started with.",
        True,
    ),
    "key-refused": (
        _A,
        "The realtime service does not accept the key {detail}.",
        "Check the key, and that it belongs to the resource whose address is set.",
        True,
    ),
    "key-type-refused": (
        _A,
        "The resource takes no API keys {detail}.",
        "Take the key out of the settings and sign in instead, with az login; your account needs the role "
        "Cognitive Services OpenAI User on the resource.",
        True,
    ),
    "token-refused": (
        _U,
        "The realtime service does not accept your sign-in {detail}.",
        "Sign in to the resource's tenant, with az login --tenant TENANT, and set that tenant if your "
        "account has several.",
        True,
    ),
    "token-of-other-tenant": (
        _U,
        "You are signed in to another tenant than the resource belongs to {detail}.",
        "Set tenant to the resource's, and sign in there with az login --tenant TENANT.",
        True,
    ),
    "role-missing": (
        _A,
        "Your account has no role that lets it use the realtime service {detail}.",
        "Ask the resource's administrator for the role Cognitive Services OpenAI User (Owner and "
        "Contributor do not include it); a new role takes about five minutes.",
        True,
    ),
    "access-refused": (
        _A,
        "The realtime service does not allow access {detail}.",
        "Ask the resource's administrator whether keys and this network are allowed.",
        True,
    ),
    "network-refused": (
        _A,
        "The resource does not admit requests from this network {detail}.",
        "Ask the resource's administrator to admit this network, or use one that is admitted.",
        True,
    ),
    "address-unknown": (
        _A,
        "The realtime service has nothing at this address {detail}.",
        "Check the endpoint: it is the resource's own, like https://NAME.openai.azure.com, and the "
        "resource lies in a region with realtime models; if it knows only the preview protocol, set "
        "dialect to auto.",
        True,
    ),
    "dialect-refused": (
        _A,
        "The resource speaks another dialect of the realtime protocol {detail}.",
        "Set dialect to auto, and preview_region to the resource's region.",
        True,
    ),
    "region-missing": (
        _A,
        "The resource knows only the preview protocol, whose calls go to a host of its region.",
        "Set preview_region to the resource's region, such as eastus2 or swedencentral.",
        True,
    ),
    "region-refused": (
        _A,
        "The host of the region {region} did not take the call {detail}.",
        "Check that preview_region is the region of the resource.",
        True,
    ),
    "session-refused": (
        _A,
        "The realtime service does not accept a setting of the call {detail}.",
        "Change what is named there in the settings, or choose a deployment that has it.",
        True,
    ),
    "quota-gone": (
        _A,
        "The subscription may not use the service any more {detail}.",
        "Ask the subscription's administrator about its quota and billing.",
        True,
    ),
    "sign-in-missing": (
        _U,
        "No Azure account is signed in on this computer.",
        "To sign in, {remedy}.",
        True,
    ),
    "azure-cli-missing": (
        _U,
        "No Azure account is signed in on this computer, and there is no Azure CLI to sign in with.",
        "Install the Azure CLI and run {command}, or set credential to browser or device-code; then start "
        "VoicePilot again.",
        True,
    ),
    "sign-in-pending": (
        _U,
        "The sign-in to Azure is not complete yet.",
        "{deed}, then press Talk again.",
        True,
    ),
    "sign-in-outdated": (
        _U,
        "The sign-in to Azure is no longer valid {remark}.",
        "To sign in anew, {remedy}.",
        True,
    ),
    "sign-in-slow": (
        _U,
        "The sign-in to Azure was not completed in time {remark}.",
        "To sign in, {remedy}.",
        True,
    ),
    "sign-in-declined": (
        _U,
        "The sign-in to Azure was declined {remark}.",
        "To sign in after all, {remedy}.",
        True,
    ),
    "account-not-in-tenant": (
        _U,
        "Your account does not belong to the tenant {tenant} {remark}.",
        "Check that tenant is set to the resource's; then, with an account that belongs to it, {remedy}.",
        True,
    ),
    "tenant-unknown": (
        _U,
        "Microsoft does not know the tenant {tenant} {remark}.",
        "Set tenant to the id or domain of the resource's tenant, which the Azure portal shows under "
        "Microsoft Entra ID.",
        True,
    ),
    "multifactor-needed": (
        _U,
        "The tenant {tenant} asks for a second proof of who you are {remark}.",
        "To give it, {remedy}.",
        True,
    ),
    "account-locked": (
        _A,
        "Your account cannot sign in: it is locked, or its password is wrong or has expired {remark}.",
        "Sign in at https://myaccount.microsoft.com to see what is wrong, or ask who runs the accounts.",
        True,
    ),
    "consent-missing": (
        _A,
        "The application {application} may not sign you in before somebody consents to it {remark}.",
        "Ask an administrator of the tenant for consent to it, or leave client_id empty and {remedy}.",
        True,
    ),
    "app-unknown": (
        _A,
        "The application {application} is not known in the tenant {tenant} {remark}.",
        "Check tenant and client_id, also AZURE_TENANT_ID and AZURE_CLIENT_ID, against the application's "
        "registration.",
        True,
    ),
    "app-secret-refused": (
        _A,
        "The secret or certificate of the application {application} is wrong or has expired {remark}.",
        "Make a new one at the application's registration and set it, in AZURE_CLIENT_SECRET (the value, "
        "not its id) or AZURE_CLIENT_CERTIFICATE_PATH.",
        True,
    ),
    "federation-missing": (
        _A,
        "The application {application} does not trust the token of this workload {remark}.",
        "Compare issuer, subject and audience of its federated credential with the token's.",
        True,
    ),
    "sign-in-blocked": (
        _A,
        "A rule of the tenant {tenant} does not allow this sign-in {remark}.",
        "Ask the tenant's administrator which device, network or application its conditional access "
        "wants.",
        True,
    ),
    "audience-unknown": (
        _A,
        "The tenant {tenant} has never used Azure OpenAI, and gives out no tokens for it {remark}.",
        "Check that tenant is the one that the resource belongs to.",
        True,
    ),
    "managed-identity-missing": (
        _A,
        "This machine has no managed identity {application} {remark}.",
        "Assign one to it, with client_id set for a user-assigned one; on your own computer set credential "
        "to auto.",
        True,
    ),
    "workload-identity-missing": (
        _A,
        "This machine has no workload identity {remark}.",
        "Check that AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE are set and the file "
        "is there; on your own computer set credential to auto.",
        True,
    ),
    "host-token-missing": (
        _U,
        "The setting credential is host, but nobody hands in a token.",
        "Start VoicePilot from VS Code, or set credential to auto.",
        True,
    ),
    "host-signed-out": (
        _U,
        "Nobody is signed in to a Microsoft account in VS Code.",
        "Run VoicePilot: Sign In, or set an API key with VoicePilot: Set API Key.",
        True,
    ),
    "host-unset": (
        _U,
        "VoicePilot does not know your resource yet: an endpoint or a deployment is not set.",
        "Run VoicePilot: Set Up Azure.",
        True,
    ),
    "host-settings-wrong": (
        _U,
        "{detail}",
        "Correct it in VS Code's settings, or run VoicePilot: Set Up Azure.",
        True,
    ),
    "browser-missing": (
        _U,
        "No browser could be opened to sign in.",
        "Set credential to device-code, or run {command} and set credential to auto.",
        True,
    ),
    "sign-in-unreachable": (
        _A,
        "Microsoft's sign-in service could not be reached.",
        "Check the network, and HTTPS_PROXY where it needs a proxy; then press Talk again.",
        True,
    ),
    "sign-in-untrusted": (
        _A,
        "The connection to Microsoft's sign-in service cannot be trusted.",
        "If a proxy of this network opens encrypted connections, name the file with its certificate in "
        "SSL_CERT_FILE and REQUESTS_CA_BUNDLE and start VoicePilot again.",
        True,
    ),
    "sign-in-refused": (
        _A,
        "Microsoft refused the sign-in {remark}.",
        "Look for the code at https://login.microsoftonline.com/error, or {remedy}.",
        True,
    ),
    "sign-in-misconfigured": (
        _U,
        "The way to sign in cannot be set up: {detail}",
        "Correct that and start VoicePilot again.",
        True,
    ),
    "key-missing": (
        _U,
        "There is no API key for {host}.",
        "Set AZURE_OPENAI_API_KEY, or keep the key with voicepilot key set.",
        True,
    ),
    "key-malformed": (
        _U,
        "The API key from {place} cannot be one: it has characters that no key has.",
        "Copy it anew from the resource's page Keys and Endpoint.",
        True,
    ),
    "keyring-missing": (
        _U,
        "This system has no keyring that VoicePilot could keep a key in {remark}.",
        "Set AZURE_OPENAI_API_KEY in the environment, or sign in with az login instead.",
        True,
    ),
    "keyring-slow": (
        _U,
        "The system's keyring did not answer within {seconds} seconds.",
        "Unlock it and try again; to do without it, set AZURE_OPENAI_API_KEY or set credential to default.",
        True,
    ),
    "deployment-missing": (
        _A,
        "The realtime service has no deployment of this name {detail}.",
        "Check that the name is the deployment's, not the model's; if it was created just now, "
        "wait five minutes and press Talk again.",
        True,
    ),
    "deployment-unfit": (
        _A,
        "The deployment cannot hold realtime calls {detail}.",
        "Choose a deployment of a realtime model.",
        True,
    ),
    "call-key-refused": (
        _S,
        "The realtime service did not take the short-lived key that it gave for this call {detail}.",
        "Press Talk again for a new key; if it goes on, look at the service's status.",
        True,
    ),
    "direct-unreachable": (
        _U,
        "This page could not reach the realtime service itself.",
        "Check the network, or set signalling to relay, so that VoicePilot asks the service for the page.",
        True,
    ),
    "offer-refused": (
        _V,
        "The realtime service did not take this browser's description of the call {detail}.",
        "Press Talk again; if it goes on, use a current version of Chrome or Edge.",
        True,
    ),
    "service-throttled": (
        _S,
        "The quota of the deployment is used up for now.",
        "Wait {seconds} seconds, then press Talk again.",
        True,
    ),
    "service-busy": (
        _S,
        "The realtime service has no capacity for this call just now.",
        "Wait a moment, then press Talk again.",
        True,
    ),
    "service-failed": (
        _S,
        "The realtime service failed: {detail}",
        "Press Talk again; if it goes on, look at the service's status.",
        True,
    ),
    "bad-answer": (
        _S,
        "The realtime service sent an answer that is not a call description.",
        "Press Talk again; if it goes on, check the address of the service.",
        True,
    ),
    "connection-timeout": (
        _A,
        "The sound connection could not be made in {seconds} seconds.",
        "Check that the network allows UDP or TCP to the realtime service (port 3478 at Azure), "
        "then press Talk again.",
        True,
    ),
    "websocket-fallback": (
        _A,
        "WebRTC gets no connection in this network, so the call goes over WebSocket, with more delay.",
        "For the faster way, allow UDP and TCP to port 3478 of the realtime service.",
        False,
    ),
    "browser-outdated": (
        _U,
        "This browser lacks what a call over WebSocket needs.",
        "Use a current version of Chrome, Edge or Firefox.",
        True,
    ),
    "connection-lost": (
        _U,
        "The connection to the realtime service was lost.",
        "Press Talk to call again; the transcript stays here.",
        True,
    ),
    "session-expired": (
        _S,
        "The call reached the longest time that the service allows.",
        "Press Talk to call again; the transcript stays here.",
        True,
    ),
    "no-answer": (
        _S,
        "The assistant has not answered for {seconds} seconds.",
        "Ask again; if it stays silent, press Stop and then Talk for a new call.",
        False,
    ),
    "response-filtered": (
        _U,
        "The service's content filter stopped the answer.",
        "Ask in other words.",
        False,
    ),
    "response-cut": (
        _A,
        "The answer reached the longest length that is set for answers, and ends there.",
        "Ask the assistant to go on.",
        False,
    ),
    "response-failed": (
        _S,
        "The assistant could not answer: {detail}",
        "Ask again; if it goes on, look at the quota of the deployment.",
        False,
    ),
    "transcription-missing": (
        _A,
        "What you said cannot be written down: there is no such transcription deployment.",
        "The talk goes on; check the name of the transcription deployment.",
        False,
    ),
    "transcription-failed": (
        _A,
        "What you said could not be written down: {detail}",
        "The talk goes on; check the transcription deployment.",
        False,
    ),
    "setting-refused": (
        _U,
        "{detail}",
        "Choose another value; the old one still counts.",
        False,
    ),
    "settings-next-call": (
        _S,
        "The running call did not take the change of the settings.",
        "It counts from the next call; press Stop and then Talk to have it now.",
        False,
    ),
    "request-refused": (
        _V,
        "The realtime service refused a request of this page: {detail}",
        "The talk goes on; the event inspector shows the request.",
        False,
    ),
    "python-failed": (
        _V,
        "The page's program could not start: {detail}",
        "Reload the page; if it fails again, use a current version of Chrome, Edge or Firefox.",
        True,
    ),
    "python-slow": (
        _U,
        "The page's program did not start within {seconds} seconds.",
        "Reload the page; check that VoicePilot is still running in the terminal.",
        True,
    ),
    "python-outdated": (
        _U,
        "This Python is too old: {detail}.",
        "Install Python 3.11 or newer and set VoicePilot up with it.",
        True,
    ),
    "packages-missing": (
        _U,
        "Packages that VoicePilot needs are not installed: {detail}.",
        "Run python3 build.py serve once, which installs them, or install voicepilot[azure,backend].",
        True,
    ),
    "settings-missing": (
        _U,
        "Something that a call needs is not set.",
        "Set it in one of these ways, then run voicepilot doctor again.",
        True,
    ),
    "settings-wrong": (
        _U,
        "A setting cannot be as it is.",
        "Correct it there, then run voicepilot doctor again.",
        True,
    ),
    "transcription-unset": (
        _U,
        "No transcription deployment is set: what you say is answered, but not written down.",
        "Deploy a transcription model and set transcription_deployment to the deployment's name.",
        False,
    ),
    "clock-off": (
        _U,
        "This computer's clock is {seconds} seconds off from the service's.",
        "Let the system set date and time by itself.",
        False,
    ),
    "udp-blocked": (
        _A,
        "No call could be connected over UDP within {seconds} seconds.",
        "Allow UDP to the realtime service (port 3478 at Azure); until then calls go another way.",
        False,
    ),
    "tcp-blocked": (
        _A,
        "The service does not answer over TCP at port {ports}.",
        "Allow TCP to the realtime service at port {ports}; it is the second way, if UDP is blocked.",
        False,
    ),
    "no-sound": (
        _S,
        "The call was connected, but no sound came within {seconds} seconds.",
        "Try again; if it goes on, look at the quota of the deployment and at the service's status.",
        True,
    ),
    "loudspeaker-missing": (
        _U,
        "The browser finds no loudspeaker.",
        "Connect one or switch one on in the system's sound settings.",
        False,
    ),
    "internal": (
        _V,
        "Something in VoicePilot itself went wrong: {detail}",
        "Reload the page and try again; the log in the terminal tells more.",
        True,
    ),
}


def problem(code: str, **details: object) -> Problem:
    """Return the catalogue's problem `code`, its sentences filled with `details`.

    Most take none; `detail` is the service's own words (after a colon a clause with its full stop, elsewhere
    a remark in brackets), `seconds` a time, `remedy` how to sign in as the end of a sentence. An empty one
    leaves no gap.
    Raises KeyError for a code that is not in the catalogue or a detail that is missing.
    """
    mender, says, next_step, fatal = _CATALOGUE[code]
    words = {name: _one_line(value) for name, value in details.items()}
    return Problem(code, mender, _filled(says, words), _filled(next_step, words), fatal)


def _filled(sentence: str, words: dict[str, str]) -> str:
    for name in (name for name, word in words.items() if not word):
        sentence = sentence.replace(f" {{{name}}}", "")
    return sentence.format(**words)


def _one_line(value: object) -> str:
    """A foreign text may hold anything: keep it to one line of bounded length."""
    text = " ".join(str(value).split())
    return text if len(text) <= 300 else text[:299] + "…"
