"""BackgroundStore that were brought in or used before, to be chosen from again."""

from __future__ import annotations

import asyncio
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from heygen_nb.errors import ConfigError
from heygen_nb.files import media_type, write_whole
from heygen_nb.i18n import gettext as _
from heygen_nb.models import short_id
from heygen_nb.renderer.background import (
    COLOR,
    file_of,
    fit,
    reading,
    refusal,
    stamp_of,
)
from heygen_nb.renderer.resolve import background_meant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from PIL import Image

    from heygen_nb.ledger import Ledger
    from heygen_nb.renderer.account import Account

FOLDER, LOOKS = "backgrounds", ".looks"
LISTED = 36
_THUMB_PX = 320
_ASIDE = (".", "~")  # what editors and we ourselves put beside files


@dataclass(frozen=True, slots=True)
class KnownBackground:
    """A background to choose again; ``thumb`` is a small JPEG, None for a link."""

    value: str
    label: str
    thumb: bytes | None


def label_of(value: str) -> str:
    """Return a background in few letters: a file by the name that it came with."""
    if "://" in value:
        return _short(value)
    if not value.startswith(f"{FOLDER}/"):
        return value
    return re.sub(r"^[0-9a-f]{12}-", "", Path(value).stem)


class BackgroundStore:
    """The pictures of a home folder, and what its renders have used.

    Args:
        home: The home folder of now.
        ledger: Opens the ledger, or gives the open one.
        accounts: Opens the account, or joins the open one.
    """

    def __init__(
        self,
        home: Callable[[], Path],
        ledger: Callable[[], Awaitable[Ledger]],
        accounts: Callable[[], AbstractAsyncContextManager[Account]],
    ) -> None:
        self._home = home
        self._ledger = ledger
        self._accounts = accounts

    def keep(self, name: str, content: bytes) -> str:
        """Put a picture into ``backgrounds/``; the same one is kept once.

        It is made fit for HeyGen at once, see :func:`fit`; that takes up to two
        seconds: async code wraps it in ``to_thread``.

        Args:
            name: What the file is called; only its last part counts.
            content: The file.

        Returns:
            The value for ``heygen_background_url``: a path relative to home.

        Raises:
            ConfigError: It is no such picture, too large, or cannot be written.
        """
        ready = fit(name, content)
        digest = hashlib.sha256(ready).hexdigest()
        folder = self._home() / FOLDER
        ending = media_type(ready).removeprefix("image/").replace("jpeg", "jpg")
        target = folder / f"{digest[:12]}-{_safe(name)}.{ending}"
        try:
            for old in folder.glob(f"{digest[:12]}-*"):
                if hashlib.sha256(old.read_bytes()).hexdigest() == digest:
                    return f"{FOLDER}/{old.name}"
            write_whole(target, ready)
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
        async with self._accounts() as account:
            await background_meant(account, value)
        return value

    def _use_file(self, value: str, path: Path) -> str:
        stamp_of(value, path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise refusal(value, error.strerror or str(error)) from None
        ours = path.parent.resolve() == (self._home() / FOLDER).resolve()
        if ours and fit(value, content) is content:
            return f"{FOLDER}/{path.name}"
        return self.keep(path.name, content)

    async def earlier(self) -> list[KnownBackground]:
        """Return pictures of ``backgrounds/``, then colours and links of past renders.

        The newest first; files that cannot be read are left out.
        """
        ledger = await self._ledger()
        return await asyncio.to_thread(self._earlier, ledger)

    def _earlier(self, ledger: Ledger) -> list[KnownBackground]:
        found = []
        for path in _newest_first(self._home() / FOLDER)[:LISTED]:
            if thumb := self._thumb_of(path):
                value = f"{FOLDER}/{path.name}"
                found.append(KnownBackground(value, label_of(value), thumb))
        for value in ledger.facts.backgrounds():
            if COLOR.fullmatch(value):
                found.append(KnownBackground(value, value, _swatch(value)))
            elif "://" in value:
                found.append(KnownBackground(value, label_of(value), None))
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
                write_whole(kept, _thumb(path.name, path.read_bytes()))
            return kept.read_bytes()
        except (OSError, ConfigError):
            return None


def _newest_first(folder: Path) -> list[Path]:
    try:
        files = [p for p in folder.iterdir() if p.is_file() and p.name[0] not in _ASIDE]
        return sorted(files, key=lambda p: (-p.stat().st_mtime_ns, p.name))
    except OSError:
        return []


def _thumb(name: str, content: bytes) -> bytes:
    from PIL import Image, ImageOps  # noqa: PLC0415 - 50 ms

    with reading(name, content) as image:
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
