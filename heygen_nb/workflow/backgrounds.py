"""Backgrounds that were brought in or used before, to be chosen from again."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import struct
import tempfile
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import short_id
from heygen_nb.renderer.backgrounds import COLOR
from heygen_nb.renderer.pictures import (
    MAX_PIXELS,
    check_size,
    file_of,
    media_type,
    refusal,
    stamp_of,
    too_many_pixels,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from PIL import Image

    from heygen_nb.ledger import Ledger
    from heygen_nb.workflow.session import Session

FOLDER, LOOKS = "backgrounds", ".looks"
MAX_SIDE_PX = 2000
"""Longest side of what is kept. HeyGen takes pictures of "<2K" (its
docs/usage-limits); a 1080p video shows 1920 of it, and an upload stays small."""
LISTED = 36
_THUMB_PX = 320
_ASIDE = (".", "~")  # what editors and we ourselves put beside files
_READ = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # without plug-ins
_BROKEN = (  # whatever Pillow raises on a spoilt file
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    struct.error,
)
_ORIENTATION, _UPRIGHT = 0x0112, (None, 1)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A background to choose again; ``thumb`` is a small JPEG, None for a link."""

    value: str
    label: str
    thumb: bytes | None


class Backgrounds:
    """The pictures of a home folder, and what its renders have used.

    Args:
        home: The home folder of now.
        ledger: Opens the ledger, or gives the open one.
        sessions: Opens a session, or joins the open one.
    """

    def __init__(
        self,
        home: Callable[[], Path],
        ledger: Callable[[], Awaitable[Ledger]],
        sessions: Callable[[], AbstractAsyncContextManager[Session]],
    ) -> None:
        self._home = home
        self._ledger = ledger
        self._sessions = sessions

    def keep(self, name: str, content: bytes) -> str:
        """Put a picture into ``backgrounds/``; the same one is kept once.

        PNG and JPEG stay as they are. WebP, GIF (its first frame), BMP and TIFF
        become PNG, which loses nothing; what is turned by its EXIF data is turned
        for good, and what is larger than :data:`MAX_SIDE_PX` made smaller. Takes up
        to two seconds: async code wraps it in ``to_thread``.

        Args:
            name: What the file is called; only its last part counts.
            content: The file.

        Returns:
            The value for ``heygen_background_url``: a path relative to home.

        Raises:
            ConfigError: It is no such picture, too large, or cannot be written.
        """
        ready = _ready(name, content)
        digest = hashlib.sha256(ready).hexdigest()
        folder = self._home() / FOLDER
        ending = media_type(ready).removeprefix("image/").replace("jpeg", "jpg")
        target = folder / f"{digest[:12]}-{_safe(name)}.{ending}"
        try:
            for old in folder.glob(f"{digest[:12]}-*"):
                if hashlib.sha256(old.read_bytes()).hexdigest() == digest:
                    return f"{FOLDER}/{old.name}"
            _write_whole(target, ready)
        except OSError as error:
            raise refusal(
                name,
                _("it could not be written: {reason}").format(
                    reason=error.strerror or error
                ),
                _("Make room in {folder}, or allow writing there.").format(
                    folder=folder
                ),
            ) from None
        return f"{FOLDER}/{target.name}"

    async def use(self, value: str) -> str:
        """Return the value to store for what somebody typed or chose.

        A file is kept, so that it stays when the original goes away.

        Raises:
            ConfigError: It is no background.
        """
        value = value.strip().strip("\"'")
        path = file_of(value, self._home())
        if path:
            return await asyncio.to_thread(self._use_file, value, path)
        async with self._sessions() as session:
            await session.renderer.resolver.background(value)
        return value

    def _use_file(self, value: str, path: Path) -> str:
        stamp_of(value, path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise refusal(value, error.strerror or str(error)) from None
        ours = path.parent.resolve() == (self._home() / FOLDER).resolve()
        if ours and _ready(value, content) is content:
            return f"{FOLDER}/{path.name}"
        return self.keep(path.name, content)

    async def earlier(self) -> list[Earlier]:
        """Return pictures of ``backgrounds/``, then colours and links of past renders.

        The newest first; files that cannot be read are left out.
        """
        ledger = await self._ledger()
        return await asyncio.to_thread(self._earlier, ledger)

    def _earlier(self, ledger: Ledger) -> list[Earlier]:
        found = []
        for path in _newest_first(self._home() / FOLDER)[:LISTED]:
            if thumb := self._thumb_of(path):
                label = re.sub(r"^[0-9a-f]{12}-", "", path.stem)
                found.append(Earlier(f"{FOLDER}/{path.name}", label, thumb))
        for value in ledger.facts.backgrounds():
            if COLOR.fullmatch(value):
                found.append(Earlier(value, value, _swatch(value)))
            elif "://" in value:
                found.append(Earlier(value, _short(value), None))
        return found

    def look(self, value: str) -> bytes | None:
        """Return a small JPEG of a background; None when there is nothing to show."""
        if COLOR.fullmatch(value):
            return _swatch(value)
        path = file_of(value, self._home())
        return self._thumb_of(path) if path else None

    def _thumb_of(self, path: Path) -> bytes | None:
        try:
            name = short_id(str(stamp_of(path.name, path.absolute())))
            kept = self._home() / LOOKS / f"{name}.jpg"
            if not kept.exists():
                _write_whole(kept, _thumb(path.name, path.read_bytes()))
            return kept.read_bytes()
        except (OSError, ConfigError):
            return None


def _newest_first(folder: Path) -> list[Path]:
    try:
        files = [p for p in folder.iterdir() if p.is_file() and p.name[0] not in _ASIDE]
        return sorted(files, key=lambda p: (-p.stat().st_mtime_ns, p.name))
    except OSError:
        return []


@contextmanager
def _reading(name: str, content: bytes) -> Iterator[Image.Image]:
    """Give a picture whose pixels can all be read; the block only looks at it."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - 50 ms

    check_size(name, len(content))
    takes = _("PNG, JPEG, WebP, GIF, BMP and TIFF can be used, up to 32 MB.")
    try:
        with Image.open(BytesIO(content), formats=_READ) as image:
            if image.width * image.height > MAX_PIXELS:
                raise refusal(name, too_many_pixels())
            image.load()
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise refusal(name, too_many_pixels()) from None
    except UnidentifiedImageError:
        raise refusal(name, _("it is no picture"), takes) from None
    except _BROKEN:
        raise refusal(name, _("it is damaged"), takes) from None


def _ready(name: str, content: bytes) -> bytes:
    """Return a picture as HeyGen takes it: the very same bytes if they fit."""
    from PIL import ImageOps  # noqa: PLC0415 - 50 ms

    kind = media_type(content)
    with _reading(name, content) as image:
        upright = image.getexif().get(_ORIENTATION) in _UPRIGHT
        small, plain = max(image.size) <= MAX_SIDE_PX, image.mode != "CMYK"
        if kind and upright and small and plain:
            return content
        profile = image.info.get("icc_profile") if plain else None
        mode = "RGBA" if image.has_transparency_data else "RGB"
        picture = ImageOps.exif_transpose(image).convert(mode)
    picture.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
    stream = BytesIO()
    save = partial(picture.save, stream, icc_profile=profile, exif=b"")
    save("JPEG", quality=95) if kind == "image/jpeg" else save("PNG")
    return stream.getvalue()


def _thumb(name: str, content: bytes) -> bytes:
    from PIL import Image, ImageOps  # noqa: PLC0415 - 50 ms

    with _reading(name, content) as image:
        picture = ImageOps.exif_transpose(image)
    picture.thumbnail((_THUMB_PX, _THUMB_PX))
    layer = picture.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return _jpeg(flat.convert("RGB"))


def _swatch(color: str) -> bytes:
    from PIL import Image  # noqa: PLC0415 - 50 ms

    return _jpeg(Image.new("RGB", (32, 32), color))


def _jpeg(image: Image.Image) -> bytes:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=80)
    return stream.getvalue()


def _safe(name: str) -> str:
    """Return the words of a file's name: no folder, no dots, no device of Windows."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    stem = last.rpartition(".")[0] or last
    return re.sub(r"[^\w-]+", "-", stem).strip("-_")[:40] or "picture"


def _short(url: str) -> str:
    """Return host and file of a link, without what may be a signature."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''} · {unquote(parts.path).rpartition('/')[2]}".strip(
        " ·"
    )


def _write_whole(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
