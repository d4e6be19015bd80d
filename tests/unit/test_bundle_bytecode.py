"""The archive of bytecode: complete, importable, the same bytes for the same source."""

import importlib
import io
import marshal
import sys
import zipfile

import pytest

from voicepilot.bundle.bytecode import EPOCH, compile_archive

MODULES = {
    "greeting_in_a_zip/__init__.py": b"from greeting_in_a_zip.words import hello\n",
    "greeting_in_a_zip/words.py": b"def hello():\n    return 'hello'\n",
    "greeting_in_a_zip/words.txt": b"kept as it is",
}


def archive_of(members, date=(2020, 2, 2, 0, 0, 0)):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("greeting_in_a_zip/", b"")
        for name, source in members.items():
            archive.writestr(zipfile.ZipInfo(name, date), source)
    return content.getvalue()


def test_modules_can_be_imported_from_the_archive(tmp_path, monkeypatch):
    target = tmp_path / "python.zip"
    target.write_bytes(compile_archive(archive_of(MODULES)))
    monkeypatch.syspath_prepend(str(target))
    try:
        assert importlib.import_module("greeting_in_a_zip").hello() == "hello"
    finally:
        for name in [name for name in sys.modules if name.startswith("greeting_in_a_zip")]:
            del sys.modules[name]


def test_source_becomes_unchecked_bytecode_and_the_rest_stays():
    with zipfile.ZipFile(io.BytesIO(compile_archive(archive_of(MODULES)))) as archive:
        assert archive.namelist() == [
            "greeting_in_a_zip/__init__.pyc",
            "greeting_in_a_zip/words.pyc",
            "greeting_in_a_zip/words.txt",
        ]
        assert archive.read("greeting_in_a_zip/words.txt") == b"kept as it is"
        bytecode = archive.read("greeting_in_a_zip/words.pyc")
        assert bytecode[4:8] == b"\x01\x00\x00\x00", "PEP 552: hash-based, never checked"
        assert marshal.loads(bytecode[16:]).co_filename == "greeting_in_a_zip/words.py"
        for member in archive.infolist():
            assert (member.date_time, member.compress_type) == (EPOCH, zipfile.ZIP_STORED)


def test_neither_date_nor_order_of_the_source_changes_the_result():
    backwards = dict(reversed(MODULES.items()))
    assert compile_archive(archive_of(MODULES)) == compile_archive(
        archive_of(backwards, date=(2021, 3, 3, 0, 0, 0))
    )


def test_a_module_that_does_not_compile_is_named():
    with pytest.raises(SyntaxError, match=r"greeting_in_a_zip/words\.py does not compile"):
        compile_archive(archive_of({"greeting_in_a_zip/words.py": b"def hello(:\n"}))
