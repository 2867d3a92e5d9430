import ntpath
import os
import sys
from contextlib import nullcontext
from pathlib import Path, PureWindowsPath

import pytest
from sqlalchemy import make_url

from heygen_nb import files
from heygen_nb.files import (
    UnfitFileError,
    decode,
    file_stem,
    media_type,
    read_bytes,
    whole_file,
    write_whole,
)

RUSSIAN = "Доброе утро, друзья! Сегодня мы узнаем одну маленькую вещь."


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1251", "utf-16-le"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_text_is_the_same_in_every_encoding_that_is_certain(encoding, end):
    content = f"{RUSSIAN}{end}{RUSSIAN}{end}".encode(encoding)

    assert decode(content) == f"{RUSSIAN}\n{RUSSIAN}\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "cp866"),
        ("Привет", "cp1251"),  # too short to be sure
        ("Voilà, un café déjà payé à l'hôtel où l'été a été très agréable.", "cp1252"),
        ("Übergrößenträger müssen für größere Stühle überall hinfahren.", "cp1252"),
        ("Πάμε μια βόλτα στο λιμάνι σήμερα το πρωί μαζί με φίλους", "cp1253"),
        ("שלום לכולם וברוכים הבאים לסרטון החדש שלנו על בריאות", "cp1255"),
    ],
)
def test_another_encoding_is_refused_not_guessed(text, encoding):
    with pytest.raises(UnfitFileError, match="line 1 is not UTF-8 text"):
        decode(text.encode(encoding))


def test_byte_order_marks_are_no_part_of_a_text_wherever_they_stand():
    assert decode("\ufeff\ufeffone\ufefftwo".encode("utf-8-sig")) == "onetwo"


@pytest.mark.skipif(sys.platform == "win32", reason="no devices, no pipes")
def test_a_device_and_a_pipe_are_refused_at_once(tmp_path):
    (tmp_path / "zero.md").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.md")

    for name in ("zero.md", "pipe.md"):
        with pytest.raises(UnfitFileError, match="no regular file"):
            read_bytes(tmp_path / name, 1000)


def test_a_large_file_is_refused_in_words(tmp_path):
    file = tmp_path / "long.md"
    file.write_bytes(b"x" * 2_000_001)

    assert len(read_bytes(file, 2_000_001)) == 2_000_001
    with pytest.raises(UnfitFileError, match="larger than 2 MB"):
        read_bytes(file, 2_000_000)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"RIFF\x00\x00\x00\x00WAVE", "audio/wav"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        (b"<html>", ""),
        (b"", ""),
    ],
)
def test_a_file_is_what_its_first_bytes_say(content, kind):
    assert media_type(content) == kind


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path):
    file = tmp_path / "folder" / "a.txt"
    write_whole(file, "old", mode=0o600)

    with pytest.raises(TypeError), whole_file(file) as stream:
        stream.writelines([b"half", "no bytes"])

    assert file.read_text() == "old"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [f.name for f in file.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("looks", [2, 99])
def test_a_file_that_somebody_looks_at_is_replaced_when_it_is_let_go(
    tmp_path, monkeypatch, looks
):
    """Windows refuses to replace a file that is open."""
    file, refused, replace = tmp_path / "new" / "film.mp4", [], Path.replace

    def held(new, target):
        if len(refused) < looks:
            refused.append(new)
            raise PermissionError(13, "in use", str(target))
        return replace(new, target)

    write_whole(file, "old")
    monkeypatch.setattr(files, "_LOCKED_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(Path, "replace", held)

    with pytest.raises(PermissionError) if looks > 3 else nullcontext():
        write_whole(file, "new")

    assert file.read_text() == ("old" if looks > 3 else "new")
    assert [f.name for f in file.parent.iterdir()] == ["film.mp4"]


@pytest.mark.parametrize("name", ["CON", "nul", "aux.1", "com1", "lpt9.x", "con."])
def test_no_id_names_a_device_of_windows(name):
    reserved = getattr(ntpath, "isreserved", lambda n: PureWindowsPath(n).is_reserved())

    assert reserved(f"{name}.mp4")
    assert not reserved(f"{file_stem(name)}.mp4")


@pytest.mark.parametrize("name", ["console", "a1b2c3d4", "tip-1", "x.con"])
def test_other_ids_name_their_files_as_they_are(name):
    assert file_stem(name) == name
    assert PureWindowsPath("C:/home/previews", f"{name}.mp4").stem == name


def test_a_windows_path_is_an_address_of_sqlite():
    file = PureWindowsPath("C:/Users/Анна П/notebooks/heygen_nb.db")

    assert make_url(f"sqlite:///{file}").database == str(file)
