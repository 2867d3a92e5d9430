"""Pictures on this machine: found, checked before anything is paid, and known again.

A picture is known by its content, so that one which was moved is not paid again.
"""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _

MAX_BYTES = 32_000_000  # POST /v3/assets takes 32 MB (developers.heygen.com)
MAX_PIXELS = 50_000_000
_MARKS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
Stamp = tuple[Path, int, int, int]  # path, mtime, ctime, size


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that HeyGen takes as a background; ``sha256`` is what it is known by."""

    path: Path
    sha256: str
    media_type: str

    def read(self) -> bytes:
        """Return its bytes.

        Raises:
            ConfigError: They are not those that were checked.
        """
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise refusal(str(self.path), _reason(error)) from None
        if hashlib.sha256(content).hexdigest() != self.sha256:
            _hash.cache_clear()
            _check.cache_clear()
            raise changed(self.path)
        return content


def file_of(value: str, home: Path) -> Path | None:
    """Return the file that a background names; None for a colour or an address."""
    if not value or value.startswith("#") or "://" in value:
        return None
    try:
        return home.absolute() / Path(value).expanduser()
    except RuntimeError:  # ~somebody: there is no such user
        return home.absolute() / value


def identity(value: str, home: Path) -> str:
    """Return what stands for a background in a revision: for a file its content.

    So a file that was only moved or renamed is not paid again, and one that was
    changed is not taken for what was rendered. May read 32 MB.

    Raises:
        ConfigError: There is no such file.
    """
    path = file_of(value, home)
    return f"sha256:{_hash(stamp_of(value, path))}" if path else value


def picture_of(value: str, home: Path) -> Picture | None:
    """Return the picture that a background names; None for a colour or an address.

    Args:
        value: An absolute path, one from ``~`` or one relative to home.
        home: The home folder.

    Raises:
        ConfigError: It is missing or too large, or no whole PNG or JPEG.
    """
    path = file_of(value, home)
    if path is None:
        return None
    stamp = stamp_of(value, path)
    return Picture(path, _hash(stamp), _check(stamp))


def stamp_of(value: str, path: Path) -> Stamp:
    """Return what changes whenever the content of a file does.

    Raises:
        ConfigError: It is no file, empty or too large.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise refusal(value, _("there is no such file")) from None
    except (OSError, ValueError) as error:
        raise refusal(value, _reason(error)) from None
    if not stat.S_ISREG(found.st_mode):
        raise refusal(value, _("it is no file"))
    check_size(value, found.st_size)
    return path, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def check_size(name: str, size_bytes: int) -> None:
    """Refuse what is empty or more than HeyGen takes.

    Raises:
        ConfigError: It is.
    """
    if not size_bytes:
        raise refusal(name, _("it is empty"))
    if size_bytes > MAX_BYTES:
        size, limit = size_bytes / 1e6, MAX_BYTES / 1e6
        reason = _("it has {size:.1f} MB, more than {limit:.0f} MB")
        raise refusal(name, reason.format(size=size, limit=limit))


@lru_cache(maxsize=256)
def _hash(stamp: Stamp) -> str:
    path = stamp[0]
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise refusal(str(path), _reason(error)) from None


@lru_cache(maxsize=256)
def _check(stamp: Stamp) -> str:
    """Decode a whole picture: a cut one would be found out by HeyGen only."""
    from PIL import Image  # noqa: PLC0415 - 50 ms, for pictures only

    path = stamp[0]
    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with path.open("rb") as file:
            kind = media_type(file.read(8))
            if not kind:
                raise refusal(str(path), _("it is neither PNG nor JPEG inside"))
            with Image.open(file, formats=("PNG", "JPEG")) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise refusal(str(path), too_many_pixels())
                image.load()
    except bombs:
        raise refusal(str(path), too_many_pixels()) from None
    except (OSError, SyntaxError, ValueError):
        raise refusal(str(path), _("it is damaged")) from None
    return kind


def media_type(content: bytes) -> str:
    """Return ``image/png`` or ``image/jpeg`` by the first bytes, else nothing."""
    found = (kind for mark, kind in _MARKS.items() if content.startswith(mark))
    return next(found, "")


def too_many_pixels() -> str:
    """Return the reason that a picture is too large to be opened."""
    return _("it has more than {count} million pixels").format(
        count=MAX_PIXELS // 1_000_000
    )


def refusal(name: str, reason: str, hint: str = "") -> ConfigError:
    """Return the error that says why a file cannot be a background."""
    return ConfigError(
        _("The background {file}: {reason}.").format(file=name[:200], reason=reason),
        hint=hint
        or _(
            "A background is a colour like #203040, a link with https://, or a PNG or"
            " JPEG file of up to 32 MB. The panel converts other pictures."
        ),
    )


def changed(path: Path) -> ConfigError:
    """Return the error of a file that is not any more what was looked at."""
    return refusal(str(path), _("it has just been changed; try again"))
