"""What can be chosen: voices and avatars of the account, and backgrounds."""

from __future__ import annotations

import asyncio
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

from heygen_nb.errors import ConfigError, HeygenNbError
from heygen_nb.files import media_type, write_whole
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Avatar, Voice, short_id
from heygen_nb.renderer.background import (
    COLOR,
    file_of,
    fit,
    reading,
    refusal,
    stamp_of,
)
from heygen_nb.renderer.resolve import background_meant, meant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta

    from PIL import Image

    from heygen_nb.ledger import Ledger
    from heygen_nb.renderer.account import Account
    from heygen_nb.renderer.catalogue import Catalogue, Kind

FOLDER, LOOKS = "backgrounds", ".looks"
LISTED = 36
_THUMB_PX = 320
_Item = TypeVar("_Item", "Voice", "Avatar")
_ASIDE = (".", "~")  # what editors and we ourselves put beside files


class AccountLists:
    """What the account the panels work for can choose from.

    Args:
        accounts: Gives the account of the present settings.
    """

    def __init__(
        self, accounts: Callable[[], AbstractAsyncContextManager[Account]]
    ) -> None:
        self._accounts = accounts
        self._catalogue: Catalogue | None = None
        self._names: dict[str, str] = {}

    def forget(self) -> None:
        """Let go of the lists: another account holds now."""
        self._catalogue = None
        self._names = {}

    async def voices(self, *, refresh: bool = False) -> Sequence[Voice]:
        """Return every voice, own ones first; at most a day old."""
        async with self._accounts() as account:
            self._catalogue = account.catalogue
            return self._named(await self._catalogue.voices(refresh=refresh))

    async def avatars(
        self,
        *,
        refresh: bool = False,
        on_part: Callable[[Sequence[Avatar]], object] | None = None,
    ) -> Sequence[Avatar]:
        """Return every avatar look, own ones first; at most a day old.

        Args:
            refresh: List them anew.
            on_part: Called with the first ones while the others are on their way.
        """
        async with self._accounts() as account:
            self._catalogue = lists = account.catalogue
            return self._named(await lists.avatars(refresh=refresh, on_part=on_part))

    def _named(self, found: Sequence[_Item]) -> Sequence[_Item]:
        self._names |= {one.id: one.name for one in found}
        return found

    def name_of(self, wish: str) -> str:
        """Return the name behind an id, once the lists are there; else the wish."""
        return self._names.get(wish, wish)

    async def meant(self, wish: str) -> str:
        """Return the id of the voice that a setting stands for; empty if unclear."""
        async with self._accounts() as account:
            hits = meant(wish, await account.catalogue.said.get())
        return hits[0].voice_id if len(hits) == 1 else ""

    def age(self, kind: Kind = "voices") -> timedelta | None:
        """Return how old a list is; None when it has not been asked for."""
        return self._catalogue.listing(kind).age if self._catalogue else None

    def trouble(self, kind: Kind = "voices") -> HeygenNbError | None:
        """Return why the last refresh of a list brought nothing."""
        return self._catalogue.listing(kind).trouble if self._catalogue else None

    async def sample(self, voice: Voice) -> bytes:
        """Return how a voice sounds, see :meth:`Catalogue.sample`."""
        async with self._accounts() as account:
            return await account.catalogue.sample(voice)

    async def picture(self, avatar: Avatar) -> bytes:
        """Return how an avatar looks, see :meth:`Catalogue.picture`."""
        async with self._accounts() as account:
            return await account.catalogue.picture(avatar)


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
