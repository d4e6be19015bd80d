"""Whatever somebody pasted becomes scheme and host, or is refused with the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepilot.settings import SettingError
from voicepilot.settings.endpoint import normalised

RESOURCE = "https://my-resource.openai.azure.com"


@pytest.mark.parametrize(
    "pasted",
    [
        RESOURCE,
        RESOURCE + "/",
        "my-resource.openai.azure.com",
        "  'https://My-Resource.OpenAI.Azure.com/'  ",
        "“https://my-resource.openai.azure.com”",
        RESOURCE + ":443/openai/v1/",
        RESOURCE + "/openai/v1/realtime/client_secrets",
        RESOURCE + "/openai/realtime?api-version=2025-04-01-preview&deployment=d",
        "wss://my-resource.openai.azure.com/openai/v1/realtime?model=gpt-realtime",
        "https:///my-resource.openai.azure.com",
        "//my-resource.openai.azure.com/",
        RESOURCE + ".",
        RESOURCE + ";",
        RESOURCE + "/openai/deployments/gpt-4o#fragment",
    ],
)
def test_every_form_of_a_resources_address_is_the_same(pasted):
    assert normalised(pasted) == RESOURCE


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("", ""),
        (" ' ' ", ""),
        (
            "https://r.cognitiveservices.azure.com/openai/v1",
            "https://r.cognitiveservices.azure.com",
        ),
        (
            "https://r.services.ai.azure.com/api/projects/p",
            "https://r.services.ai.azure.com",
        ),
        ("https://gateway.example.com:8443/", "https://gateway.example.com:8443"),
        ("https://my-gw.azure-api.net/openai/v1/realtime", "https://my-gw.azure-api.net"),
        ("https://r.openai.azure.us/api/projects/p", "https://r.openai.azure.us"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("ws://localhost:80", "http://localhost"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("https://10.0.0.4", "https://10.0.0.4"),
        ("gpt-gateway.local", "https://gpt-gateway.local"),
    ],
)
def test_other_hosts_stay_what_they_are(pasted, meant):
    assert normalised(pasted) == meant


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("https://portal.azure.com/#@t/resource/subscriptions/s", "the Azure portal"),
        ("https://ai.azure.com/foundry/project", "the Foundry portal"),
        ("https://oai.azure.com/portal", "the Azure OpenAI studio"),
        ("https://learn.microsoft.com/azure", "documentation"),
        ("0123456789abcdef0123456789abcdef", "looks like a key"),
        ("gpt-realtime", "name of a model"),
        ("gpt-4.1", "name of a model"),
        ("my-resource", "set https://my-resource.openai.azure.com"),
        ("https://eastus2.realtimeapi-preview.ai.azure.com/v1/realtimertc", "“eastus2”"),
        ("https://eastus2.api.cognitive.microsoft.com/", "custom domain"),
        ("https://openai.azure.com", "lacks the name of your resource"),
        ("https://api.openai.com/v1", "OpenAI's own service"),
        (RESOURCE + "/openai/v1/live/sessions", "GPT-Live"),
        ("wss://r.services.ai.azure.com/voice-live/realtime", "Voice Live"),
        ("https://user:word@my-resource.openai.azure.com", "before an @"),
        ("http://my-resource.openai.azure.com", "not encrypted"),
        ("http://127.0.0.1.example.com", "not encrypted"),
        ("ftp://my-resource.openai.azure.com", "ftp://"),
        ("https://my-gw.azure-api.net/my-api", "the path “/my-api”, which would be lost"),
        ("https://my-gw.azure-api.net/my-api/openai/v1", "the path “/my-api/openai/v1”"),
        ("http://127.0.0.1:9000/gateway", "which would be lost"),
        ("https://my resource.openai.azure.com", "no address"),
        ("https://r.openai.azure.com:99999", "no address"),
        ("https://r.openai.azure.com:0", "no address"),
        ("https://[::1", "no address"),
        ("https://-r.openai.azure.com", "no address"),
    ],
)
def test_what_cannot_be_a_resource_is_refused_with_the_reason(pasted, reason):
    with pytest.raises(SettingError) as refused:
        normalised(pasted)
    assert refused.value.name == "endpoint"
    assert reason in refused.value.says
    assert "NAME.openai.azure.com" in refused.value.says


@pytest.mark.parametrize(
    "pasted",
    [
        "0123456789abcdef0123456789abcdef",
        "https://0123456789abcdef0123456789abcdef@r.openai.azure.com",
        "ftp://r.openai.azure.com/?api-key=0123456789abcdef0123456789abcdef",
        "https://r openai.azure.com?key=0123456789abcdef0123456789abcdef",
    ],
)
def test_a_key_is_never_repeated(pasted):
    with pytest.raises(SettingError) as refused:
        normalised(pasted)
    assert "0123456789abcdef" not in str(refused.value)


WORDS = (
    "https://",
    "wss:",
    "//",
    "r.openai.azure.com",
    ":443",
    "::1",
    "localhost",
    "gpt-",
    "xn--",
    "0",
)
PIECES = st.sampled_from([*WORDS, *":/?#@[]%\\.-é' \x00\u202e\u2488"])
PASTED = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=8).map("".join))


@given(PASTED)
def test_anything_is_normalised_once_and_for_all_or_refused(pasted):
    try:
        meant = normalised(pasted)
    except SettingError:
        return
    assert normalised(meant) == meant
    assert meant == "" or meant.startswith(("https://", "http://"))
    assert meant.count("/") in (0, 2)
    assert meant.isascii()
