"""What can be chosen: voices and avatars of the account, and backgrounds."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from heygen_nb import preview
from heygen_nb.errors import ConfigError, PreviewError
from heygen_nb.files import media_type, os_errors_as, write_whole
from heygen_nb.i18n import gettext as _
from heygen_nb.models import short_id
from heygen_nb.renderer import background
from heygen_nb.renderer.resolve import background_meant, meant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heygen_nb.heygen.wire import VoiceReply
    from heygen_nb.ledger import Ledger
    from heygen_nb.renderer.catalogue import Catalogue, Kind, Listing
    from heygen_nb.ui.state import SharedState

FOLDER, LOOKS = "backgrounds", ".looks"
LISTED = 36
_THUMB_PX = 320
_ASIDE = (".", "~")  # what editors and we ourselves put beside files


class AccountLists:
    """What the account the panels work for can choose from."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared
        self.forget()

    def forget(self) -> None:
        """Let go of the lists: another account holds now."""
        self._catalogue: Catalogue | None = None
        self._names: dict[str, str] = {}

    async def listed(self, kind: Kind, **options: Any) -> Sequence[Any]:
        """Return every voice or avatar, as :class:`Catalogue` lists them."""
        async with self._shared.account() as account:
            self._catalogue = account.catalogue
            found: Sequence[Any] = await getattr(self._catalogue, kind)(**options)
        self._names |= {one.id: one.name for one in found}
        return found

    def name_of(self, wish: str) -> str:
        """Return the name behind an id, once the lists are there; else the wish."""
        return self._names.get(wish, wish)

    async def meant(self, wish: str) -> VoiceReply | None:
        """Return the voice that a setting stands for; None if that is not clear."""
        async with self._shared.account() as account:
            hits = meant(wish, await account.catalogue.said.get())
        return hits[0] if len(hits) == 1 else None

    def listing(self, kind: Kind) -> Listing[Any] | None:
        """Return the list behind voices or avatars; None if nobody asked for one."""
        return self._catalogue.listing(kind) if self._catalogue else None


def label_of(value: str) -> str:
    """Return a background in few letters.

    A file goes by the name that it came with; a link by its host and file, without
    what may be a signature.
    """
    if "://" in value:
        parts = urlsplit(value)
        file = unquote(parts.path).rpartition("/")[2]
        return f"{parts.hostname or ''} · {file}".strip(" ·")
    if not value.startswith(f"{FOLDER}/"):
        return value
    return re.sub(r"^[0-9a-f]{12}-", "", Path(value).stem)


class BackgroundStore:
    """The pictures of a home folder, and what its renders have used."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared

    @property
    def _home(self) -> Path:
        return self._shared.settings.home

    def keep(self, name: str, content: bytes) -> str:
        """Put a picture into ``backgrounds/``; the same one is kept once.

        It is made fit for HeyGen at once, see :func:`background.fit`; that takes up
        to two seconds: async code wraps it in ``to_thread``.

        Args:
            name: What the file is called; only its last part counts, without dots
                and whatever else a file system may not like.
            content: The file.

        Returns:
            The value for ``heygen_background_url``: a path relative to home.

        Raises:
            ConfigError: It is no such picture, too large, or cannot be written.
        """
        ready = background.fit(name, content)
        last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
        words = re.sub(r"[^\w-]+", "-", last.rpartition(".")[0] or last)
        title = words.strip("-_")[:40] or "picture"
        ending = media_type(ready).removeprefix("image/").replace("jpeg", "jpg")
        folder, digest = self._home / FOLDER, sha256(ready).hexdigest()[:12]
        file = folder / f"{digest}-{title}.{ending}"
        with os_errors_as(
            ConfigError,
            _("{file} could not be written: {reason}."),
            _("Make room in {folder}, or allow writing there."),
            file=name[:200],
            folder=folder,
        ):
            for old in folder.glob(f"{digest}-*"):
                if old.read_bytes() == ready:
                    return f"{FOLDER}/{old.name}"
            write_whole(file, ready)
        return f"{FOLDER}/{file.name}"

    async def use(self, value: str) -> str:
        """Return the value to store for what somebody typed or chose.

        A file is kept, so that it stays when the original goes away.

        Raises:
            ConfigError: It is no background.
        """
        value = value.strip().strip("\"'")
        if path := background.file_of(value, self._home):
            return await asyncio.to_thread(self._use_file, value, path)
        async with self._shared.account() as account:
            await background_meant(account, value)
        return value

    def _use_file(self, value: str, path: Path) -> str:
        background.stamp_of(value, path)
        content = background.content_of(path)
        ours = path.parent.resolve() == (self._home / FOLDER).resolve()
        if ours and background.fit(value, content) is content:
            return f"{FOLDER}/{path.name}"
        return self.keep(path.name, content)

    async def earlier(self) -> dict[str, bytes | None]:
        """Return pictures of ``backgrounds/``, then colours and links of past renders.

        The newest first, each with a small JPEG, of links None; files that cannot be
        read are left out.
        """
        return await self._shared.read(self._earlier)

    def _earlier(self, ledger: Ledger) -> dict[str, bytes | None]:
        try:
            files = [
                (-path.stat().st_mtime_ns, f"{FOLDER}/{path.name}")
                for path in (self._home / FOLDER).iterdir()
                if path.is_file() and path.name[0] not in _ASIDE
            ]
        except OSError:
            files = []
        newest = [value for _age, value in sorted(files)[:LISTED]]
        values = (*newest, *ledger.facts.backgrounds())
        found = {value: self.look(value) for value in values}
        return {k: thumb for k, thumb in found.items() if thumb or "://" in k}

    def look(self, value: str) -> bytes | None:
        """Return a small JPEG of a background; None when there is nothing to show."""
        from PIL import Image  # noqa: PLC0415 - 50 ms

        if background.COLOR.fullmatch(value):
            return preview.small_jpeg(Image.new("RGB", (32, 32), value))
        if not (path := background.file_of(value, self._home)):
            return None
        try:
            name = short_id(str(background.stamp_of(value, path)))
            kept = self._home / LOOKS / f"{name}.jpg"
            if not kept.exists():
                picture = preview.open_image(path)
                picture.thumbnail((_THUMB_PX, _THUMB_PX))
                write_whole(kept, preview.small_jpeg(picture))
            return kept.read_bytes()
        except (OSError, ConfigError, PreviewError):
            return None
