"""The settings of a person on a machine: read from real files, kept in one, refused in sentences."""

import os
import stat
import tomllib
from pathlib import Path

import platformdirs
import pytest

from voicepilot.backend.configuration import Configuration, ConfigurationError, settings_file
from voicepilot.backend.failure import Failure
from voicepilot.settings import SettingsError

WRITTEN = """\
# My settings
deployment = "voice"   # in Sweden

# slower
speed = 0.9
"""


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text(WRITTEN)
    return file


def read(file, options=None, variables=None, folder=None):
    return Configuration.read(options or {}, variables or {}, folder or file.parent, file)


def test_the_file_is_the_users_unless_one_is_named(tmp_path):
    place, required = settings_file({})
    assert place.name == "settings.toml"
    assert place.parent == platformdirs.user_config_path("voicepilot", appauthor=False)
    assert not required
    named = {"VOICEPILOT_SETTINGS": str(tmp_path / "mine.toml")}
    assert settings_file(named) == (tmp_path / "mine.toml", True)
    assert settings_file(named, Path("other.toml")) == (Path.cwd() / "other.toml", True)


def test_the_places_are_merged(file):
    configuration = read(file, {"speed": "1.1"}, {"AZURE_OPENAI_ENDPOINT": "r.openai.azure.com"})
    assert configuration.settings.deployment == "voice"
    assert configuration.settings.speed == 1.1
    assert configuration.settings.endpoint == "https://r.openai.azure.com"
    assert configuration.places["deployment"] == f"file {file}"


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b'deployment = "a"\nspeed = = 1\n', 2, "Invalid value"),
        (b'deployment = "a"\n\ndeployment voice\n', 3, "Expected '='"),
        (b'deployment = "a"\nspeed = 1\nspeed = 2', 3, "Cannot overwrite a value"),
        (b'speed = 1\ndeployment = "secret-of-mine', 2, "Unterminated string"),
        (b"speed = 1\n# caf\xe9\n", 2, "not UTF-8"),
    ],
)
def test_a_broken_file_is_a_sentence_with_the_line(file, content, line, reason):
    file.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        read(file)
    (sentence,) = str(refused.value).splitlines()
    assert f"line {line}" in sentence
    assert reason in sentence
    assert str(file) in sentence
    assert "secret-of-mine" not in sentence


def test_a_file_that_a_windows_editor_wrote_is_read(file):
    file.write_bytes(b"\xef\xbb\xbf" + WRITTEN.replace("\n", "\r\n").encode())
    assert read(file).settings.deployment == "voice"


def test_a_named_file_must_exist_and_a_file_must_not_be_huge(file):
    with pytest.raises(ConfigurationError, match=r"missing\.toml does not exist"):
        read(file.with_name("missing.toml"))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(file.parent)
    file.write_text("#" * 300_000)
    with pytest.raises(ConfigurationError, match="larger than 256 KiB"):
        read(file)


def test_a_key_in_the_file_is_refused_with_the_reason_and_not_repeated(file):
    file.write_text('api_key = "abcdefghijklmnopqrstuvwxyz"\ndeployment = "a b"\n')
    with pytest.raises(ConfigurationError) as refused:
        read(file)
    key, deployment = str(refused.value).splitlines()
    assert "a file is no place for a secret" in key
    assert "abcdefgh" not in key
    assert deployment.startswith(f"file {file}: deployment is ")


def test_a_change_counts_at_once_above_every_place_and_is_kept(file):
    configuration = read(file, {"speed": "1.1"})
    settings = configuration.change({"speed": 1.3, "instructions": 'Be brief.\nSay "Sir".'})
    assert settings.speed == configuration.settings.speed == 1.3
    configuration.change({"voice": "cedar"})
    assert configuration.settings.speed == 1.3
    assert configuration.places["speed"] == f"file {file}"
    assert read(file).settings.voice == "cedar"
    assert read(file).settings.instructions == 'Be brief.\nSay "Sir".'
    assert read(file, {"speed": "1.1"}).settings.speed == 1.1


def test_what_the_person_wrote_beside_it_stays(file):
    read(file).change({"speed": 1.3})
    assert file.read_text() == WRITTEN.replace("0.9", "1.3")


def test_the_first_change_makes_the_file_in_its_folder(tmp_path, monkeypatch):
    place = tmp_path / "not" / "yet" / "settings.toml"
    configuration = Configuration((), place)
    configuration.change({"sideband": True})
    assert tomllib.loads(place.read_text()) == {"sideband": True}
    assert place.read_text().startswith("# VoicePilot's settings")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_only_the_owner_can_read_the_file_and_a_link_stays_a_link(file, tmp_path):
    file.chmod(0o644)
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    read(link).change({"speed": 1.3})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert link.is_symlink()
    assert read(file).settings.speed == 1.3
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["link.toml", "settings.toml"]


def test_a_change_that_cannot_be_leaves_everything_as_it_was(file):
    configuration = read(file)
    with pytest.raises(SettingsError, match="speed is a number"):
        configuration.change({"voice": "cedar", "speed": 9.0})
    assert configuration.settings.voice == "marin"
    assert file.read_text() == WRITTEN


def test_a_file_that_cannot_be_written_is_a_sentence_and_nothing_changes(file, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder is needed")
    configuration = Configuration((), blocked / "settings.toml")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        configuration.change({"speed": 1.3})
    assert configuration.settings.speed == 1.0
    file.write_text("speed = = 1")
    with pytest.raises(ConfigurationError, match="cannot be understood any more"):
        Configuration((), file).change({"speed": 1.3})
    assert file.read_text() == "speed = = 1"


def test_the_instructions_file_is_read_anew_for_each_call(file, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    told = project / "voice.md"
    told.write_text("Speak of birds.\n")
    options = {"instructions": "Be brief.", "instructions_file": "voice.md"}
    configuration = read(file, options, folder=project)
    assert configuration.session(()).instructions == "Be brief.\n\nSpeak of birds."
    told.write_text("Speak of fish.")
    assert configuration.session(()).instructions == "Be brief.\n\nSpeak of fish."
    assert configuration.settings.instructions == "Be brief."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "does not exist"),
        (b"caf\xe9", "is not UTF-8 text (line 1)"),
        (b"a" * 40_000, "is too long"),
        (b"a" * 300_000, "larger than 256 KiB"),
        (b"Use AZURE_OPENAI_API_KEY=0123456789abcdef0123456789abcdef", "hold an API key"),
    ],
)
def test_an_instructions_file_that_does_not_do_is_a_problem_with_a_sentence(file, content, reason):
    told = file.with_name("voice.md")
    if content is not None:
        told.write_bytes(content)
    with pytest.raises(Failure) as failed:
        read(file, {"instructions_file": "voice.md"}).session(())
    assert failed.value.problem.code == "instructions-unfit"
    assert str(told) in failed.value.problem.says
    assert reason in failed.value.problem.says
    assert "0123456789abcdef" not in failed.value.problem.says
