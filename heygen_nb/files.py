"""Files: read within bounds, told apart by their content, written whole or not at all.

What is wrong with one is an OSError whose text is a reason in the user's language:
each room puts it into its own error.

YAML is read as people write it: each value is the text that was typed. So an id such
as 00123 or -1001234567890_45 stays one, and a hashtag is no comment.
"""

import codecs
import csv
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

import yaml

from heygen_nb.errors import DraftError, HeygenNbError
from heygen_nb.i18n import at_line, gettext as _, problem_at

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARKS = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"1\n00:", "application/x-subrip"),
)


# A pipe that nobody writes to would block for ever; Windows would change line ends.
_AS_IT_IS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_TEXT: dict[str, Any] = {"mode": "w", "encoding": "utf-8", "newline": ""}
_DEVICE = re.compile(r"^(con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)", re.IGNORECASE)


class UnfitFileError(OSError):
    """The file is there and is not what it should be; the text says why."""


@contextmanager
def os_errors_as(
    error: type[HeygenNbError], text: str, hint: str = "", **values: object
) -> Iterator[None]:
    """Raise what the system refuses as an error of ours.

    Args:
        error: What is raised.
        text: Its message; takes the ``reason`` and the values.
        hint: What to do next.
        **values: What else fills the text.
    """
    try:
        yield
    except (OSError, RuntimeError) as exc:  # the latter: ~ of somebody without home
        reason = getattr(exc, "strerror", None) or exc
        raise error(text, hint=hint, **values, reason=reason) from None


def media_type(content: bytes) -> str:
    """Return what a file is by its bytes, of the kinds HeyGen takes; else nothing."""
    return next((kind for at, mark, kind in _MARKS if content.startswith(mark, at)), "")


def read_bytes(file: Path, limit_bytes: int) -> bytes:
    """Return the content of a regular file that is not too large.

    Raises:
        OSError: It cannot be read; an UnfitFileError if it is a device or a pipe,
            which might never end, or larger than it may be.
    """
    handle = os.open(file, os.O_RDONLY | _AS_IT_IS)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise UnfitFileError(_("it is no regular file"))
        return within(stream.read(limit_bytes + 1), limit_bytes)


def within(content: bytes, limit_bytes: int) -> bytes:
    """Return the content if it is not too large.

    Raises:
        UnfitFileError: It is.
    """
    if len(content) > limit_bytes:
        size = limit_bytes / 1_000_000
        raise UnfitFileError(_("it is larger than {limit:g} MB").format(limit=size))
    return content


def read_text(file: Path, limit_bytes: int) -> str:
    """Return the text of a file; see :func:`read_bytes` and :func:`decode`.

    Raises:
        OSError: It cannot be read, or is no text.
    """
    return decode(read_bytes(file, limit_bytes))


_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GUESSED = ("utf-16-le", "utf-16-be", "cp1251")  # what Windows writes without a mark
_LINE_END = re.compile(r"\r\n?")


def decode(content: bytes) -> str:
    r"""Return bytes as text, without byte order marks, each line ending in ``\n``.

    It is UTF-8, or UTF-16 or UTF-32 with their mark, or what Russian Windows writes
    if it can be nothing else. Nothing is guessed: it would be read out as gibberish.

    Raises:
        UnfitFileError: It is another encoding; tells the line.
    """
    marked = (name for mark, name in _BOMS if content.startswith(mark))
    encoding = next(marked, "") or _unmarked(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as exc:
        reason = _("line {line} is not {encoding} text (byte {byte} at {at})")
        line, at = content.count(b"\n", 0, exc.start) + 1, exc.start
        told = {"encoding": encoding.upper(), "byte": f"0x{content[at]:02X}"}
        raise UnfitFileError(reason.format(line=line, at=at, **told)) from None
    return _LINE_END.sub("\n", text.replace("\ufeff", ""))


def _unmarked(content: bytes) -> str:
    encodings: tuple[str, ...] = ("utf-16-le", "utf-16-be")
    fits = _is_wide
    if 0 not in content:
        with suppress(UnicodeDecodeError):
            content.decode()
            return "utf-8"
        encodings, fits = ("cp1251", "koi8-r", "cp866"), _is_russian
    found = []
    for encoding in encodings:
        with suppress(UnicodeDecodeError):
            if fits(content.decode(encoding)):
                found.append(encoding)
    return found[0] if len(found) == 1 and found[0] in _GUESSED else "utf-8"


def _is_wide(text: str) -> bool:
    usual = sum(char in "\t\r\n" or " " <= char < "\u0530" for char in text)
    return usual > 0.95 * len(text) and "\0" not in text


_RUSSIAN_WORD = re.compile(r"[А-ЯЁ]?[а-яё]+|[А-ЯЁ]+")
_FEWEST = 20  # letters that can be told by what is common among them


def _is_russian(text: str) -> bool:
    """Tell whether it reads as Russian: no mixed words, capitals first, real vowels."""
    words = [w for w in re.findall(r"\w+", text) if not w.isascii()]
    letters = "".join(words).casefold()
    common = sum(map(letters.count, "оеаинтсрвл"))
    vowels = sum(map(letters.count, "аеёиоуыэюя"))
    return (
        len(letters) >= _FEWEST
        and all(map(_RUSSIAN_WORD.fullmatch, words))
        and common > 0.4 * len(letters)
        and 0.3 < vowels / len(letters) < 0.6  # noqa: PLR2004 - Russian has 0.43
    )


@contextmanager
def whole_file(
    file: Path, *, mode: int = 0o644, text: bool = False
) -> Iterator[IO[Any]]:
    """Give a stream whose content becomes the file, all at once or not at all.

    Args:
        file: It is replaced, or made, when the block is through.
        mode: Who may read it.
        text: UTF-8 with line ends as they are written, instead of bytes.

    Raises:
        OSError: It cannot be written; what was there is there still.
    """
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, **(_TEXT if text else {"mode": "wb"})) as stream:
            yield stream
            stream.flush()
            os.fsync(handle)
        Path(name).chmod(mode)
        put_in_place(Path(name), file)
    finally:
        Path(name).unlink(missing_ok=True)


# Somebody who looks at a file, a player or a virus scanner, keeps Windows from
# replacing it; that mostly passes.
_LOCKED_S = (0.05, 0.1, 0.2, 0.4, 0.8) if os.name == "nt" else ()


def put_in_place(new: Path, file: Path) -> Path:
    """Give a finished file its name, whatever has that name now; return it.

    Raises:
        OSError: It cannot be replaced; both are as they were.
    """
    for wait_s in _LOCKED_S:
        with suppress(PermissionError):
            return new.replace(file)
        time.sleep(wait_s)
    return new.replace(file)


def write_whole(file: Path, content: bytes | str, *, mode: int = 0o644) -> None:
    """Write a file, and its folder if need be; see :func:`whole_file`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(file, mode=mode) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def file_stem(name: str) -> str:
    """Return an id as the beginning of a file's name that every system takes.

    On Windows CON, NUL and others are devices, whatever follows their dot.
    """
    return _DEVICE.sub(r"\1_", name)


def write_rows(
    file: IO[str], columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> int:
    """Write a CSV table of cells that no spreadsheet takes for formulas.

    A text that begins like one gets an apostrophe, as OWASP's page on CSV injection
    advises; numbers stay numbers.

    Returns:
        How many rows it has, besides the heading.
    """
    table = csv.DictWriter(file, columns)
    table.writeheader()
    count = 0
    for row in rows:
        texts = {k: v for k, v in row.items() if isinstance(v, str)}
        risky = {k: f"'{v}" for k, v in texts.items() if v.startswith(_FORMULA)}
        table.writerow({**row, **risky})
        count += 1
    return count


# What people put before front matter, and nobody sees: blanks, comments, marks.
_FRONT_MATTER = re.compile(
    r"\A(?:[\s\u00ad\u200b-\u200f\u2028\u2029\u2060\ufeff]+|<!--.*?-->|%%.*?%%"
    r"|\[[^\]\n]*\]:[ \t]*#[^\n]*\n)*^(?P<indent>[ \t]*)-{3,}[ \t]*(?:#[^\n]*)?\n"
    r"(?P<keys>.*?)(?<=\n)(?P=indent)(?:-{3,}|\.{3})[ \t]*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)


def front_matter(text: str, name: str) -> tuple[str, str, int]:
    """Return the YAML above a text, the text, and the line it begins at.

    Blank lines stand for what is above the YAML: its lines are those of the file.

    Raises:
        DraftError: It is not closed.
    """
    match = _FRONT_MATTER.match(text)
    if match:
        above = "\n" * text.count("\n", 0, match.start("keys"))
        return above + match["keys"], text[match.end() :], match[0].count("\n") + 1
    if text.lstrip().startswith("---"):
        where = at_line(name, text[: text.index("---")].count("\n") + 1)
        hint = _("Put a line of three dashes, “---”, after the keys.")
        problem = _("the front matter is not closed")
        raise DraftError(problem_at(where, problem), hint=hint)
    return "", text, 1


@cache
def shipped(name: str) -> Any:
    """Return what a YAML file of this package holds, by its path in there."""
    return yaml.safe_load((Path(__file__).parent / name).read_text("utf-8"))


def draft_error(
    texts: str, problem: str, /, where: str = "", hint: str = "", **values: object
) -> DraftError:
    """Return an error whose words stand in a file.

    Args:
        texts: The file, as for :func:`shipped`: a message and a hint for each problem.
        problem: Its name there.
        where: What is wrong there; put before the message.
        hint: Instead of the usual one.
        **values: What fills message and hint.
    """
    message, usual = shipped(texts)[problem].values()
    told = _(message).format(**values)
    hint = hint or _(usual).format(**values)
    return DraftError(problem_at(where, told) if where else told, hint=hint)


def packaged(name: str) -> Path:
    """Return a folder that lies beside the package in a checkout, in it in a wheel."""
    package = Path(__file__).parent
    return next(p for p in (package / name, package.parent / name) if p.is_dir())


MAX_YAML_BYTES = 1_000_000  # some 2 s: the reader that survives deep nesting is slow
_DEEPEST = 200  # brackets; the reader gets slow, and fails at some 300
_NULL = "tag:yaml.org,2002:null"
_BLOCKS = ("|", ">")
_COMMENT = re.compile(r"(?:^|[ \t]+)#", re.MULTILINE)
_HASHTAG = re.compile(r"(?:^|[ \t]+)#[^\s#]", re.MULTILINE)
_REMARK = re.compile(r"[ \t]+#(?=\s|$)")
_COMMENTS = re.compile(r"(?:[ \t]*(?:#[^\n]*)?(?:\n|$))*")


class YamlText(str):
    """A value as it was written.

    Attributes:
        line: Of the file at which the text begins.
        is_null: Nothing was written, or ``null``.
    """

    __slots__ = ("is_null", "line")

    line: int
    is_null: bool


@dataclass
class YamlReader:
    """Reads maps of texts.

    Attributes:
        name: The file's, for messages.
        expected: What to say when there is no map, or a key's value is one.
        words: Tells whether a key's value is a text: a hashtag belongs to it.
        prose: Tells whether ``# …`` after it may be meant as text too.
        allowed: Says what the value of a key may be.
        error: What is raised.
        many: Whether a list of maps may stand there.
    """

    name: str
    expected: str
    words: Callable[[str], bool]
    prose: Callable[[str], bool] = lambda _key: False
    allowed: Callable[[str], str] = lambda _key: _quote_it()
    error: type[HeygenNbError] = DraftError
    many: bool = True

    def maps(self, text: str) -> Iterator[tuple[int, dict[str, YamlText]]]:
        """Yield the line and the texts of one map, or of each map of a list.

        Raises:
            HeygenNbError: It is no YAML, more than maps of texts, or a text would be
                cut by a comment; names file and line.
        """
        node = self._composed(text)
        if node is None or node.tag == _NULL:
            return
        known: dict[int, dict[str, YamlText]] = {}  # an alias is the same node again
        is_list = self.many and isinstance(node, yaml.SequenceNode)
        for item in node.value if is_list else [node]:
            if not isinstance(item, yaml.MappingNode):
                problem = _("expected “key: value” lines")
                raise self._wrong(item.start_mark.line, problem, self.expected)
            if id(item) not in known:
                known[id(item)] = self._texts(item, text)
            yield item.start_mark.line + 1, known[id(item)]

    def _composed(self, text: str) -> yaml.Node | None:
        steps = ((char in "[{") - (char in "]}") for char in text)
        try:
            if max(accumulate(steps), default=0) <= _DEEPEST:
                # CSafeLoader is quicker, and crashes the process when nested too deeply
                return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as exc:
            line = exc.problem_mark.line if exc.problem_mark else 0
            raise self._wrong(line, str(exc.problem), _quote_it()) from None
        except yaml.YAMLError as exc:  # control characters
            raise self.error(f"{self.name}: {str(exc).splitlines()[0]}") from None
        except RecursionError:
            pass
        told = _("{file}: lists and maps are nested too deeply.")
        raise self.error(told, file=self.name)

    def _texts(self, node: yaml.MappingNode, source: str) -> dict[str, YamlText]:
        texts: dict[str, YamlText] = {}
        for key, value in node.value:
            line = key.start_mark.line
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name == "?" or not isinstance(value, yaml.ScalarNode):
                problem = _("{key}: a text belongs here, not a list or a map")
                raise self._wrong(line, problem.format(key=name), self.allowed(name))
            if name in texts:
                problem = _("the key “{key}” stands there twice").format(key=name)
                raise self._wrong(line, problem)
            tail = self._tail(name, key, value, source)
            is_null = value.tag == _NULL and not tail
            text = YamlText("" if is_null else value.value + tail)
            text.line = value.start_mark.line + 1 + (value.style in _BLOCKS)
            text.is_null = is_null
            texts[name] = text
        return texts

    def _tail(
        self, name: str, key: yaml.ScalarNode, value: yaml.ScalarNode, source: str
    ) -> str:
        """Return the end of a text that YAML takes for a comment: ``New #morning``."""
        if not self.words(name):
            return ""
        prose, block = self.prose(name), value.style in _BLOCKS
        start, end = value.start_mark.index, value.end_mark.index
        line_end = source.find("\n", start if block else end)
        line_end = len(source) if line_end < 0 else line_end
        before = source[key.end_mark.index : line_end if block else start]
        tail = "" if block else source[end:line_end].rstrip()
        if not _COMMENT.match(tail):
            tail = ""  # of another value, in braces
        if not prose:  # “# …” is a remark on a setting
            tail = _REMARK.split(tail)[0]
        whole = not value.style and _HASHTAG.match(tail) and not _REMARK.search(tail)
        lost = [before] if whole or (value.style and not prose) else [before, tail]
        if not block:
            deeper = " " * (key.start_mark.column + 1)
            below = _COMMENTS.match(source, line_end + 1)
            lines = below[0].splitlines() if below else []
            lost += [line for line in lines if line.startswith(deeper)]
        is_lost = (_COMMENT if prose else _HASHTAG).search
        if any(map(is_lost, lost)) or (prose and source[start : start + 1] in "&!"):
            problem = _("{key}: YAML would leave out a part of this text")
            line = value.end_mark.line
            raise self._wrong(line, problem.format(key=name), _quote_it())
        return (tail if value.value else tail.strip()) if whole else ""

    def _wrong(self, line: int, problem: str, hint: str = "") -> HeygenNbError:
        return self.error(problem_at(at_line(self.name, line + 1), problem), hint=hint)


def _quote_it() -> str:
    return _('Put the whole text into straight quotes: "…".')
