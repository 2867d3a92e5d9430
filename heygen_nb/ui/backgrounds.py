"""Backgrounds to choose from: the pictures of a home folder, and what was used."""

import asyncio
import re
import unicodedata
from contextlib import suppress
from hashlib import sha256
from os.path import getmtime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from heygen_nb import preview
from heygen_nb.errors import ConfigError, PreviewError
from heygen_nb.files import media_type, os_errors_as, write_whole
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import Ledger
from heygen_nb.models import short_id
from heygen_nb.renderer import background
from heygen_nb.renderer.resolve import background_meant
from heygen_nb.ui.state import SharedState

FOLDER, LOOKS = "backgrounds", ".looks"
LISTED = 36
_THUMB_PX = 320


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


def keep(home: Path, name: str, content: bytes) -> str:
    """Put a picture into ``backgrounds/``; the same one is kept once.

    It is made fit for HeyGen at once, see :func:`background.fit`; that takes up
    to two seconds: async code wraps it in ``to_thread``.

    Args:
        home: The home folder.
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
    folder, digest = home / FOLDER, sha256(ready).hexdigest()[:12]
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


async def use(shared: SharedState, value: str, content: bytes | None = None) -> str:
    """Return the value to store for what somebody typed, chose or brought in.

    A file is kept, so that it stays when the original goes away.

    Args:
        shared: Has home and account.
        value: A colour, a link or a file.
        content: Of the file, if it comes from elsewhere.

    Raises:
        ConfigError: It is no background.
    """
    home = shared.settings.home
    if content is not None:
        return await asyncio.to_thread(keep, home, value, content)
    value = value.strip().strip("\"'")
    if path := background.file_of(value, home):
        return await asyncio.to_thread(_use_file, home, value, path)
    async with shared.account() as account:
        await background_meant(account, value)
    return value


def _use_file(home: Path, value: str, path: Path) -> str:
    background.stamp_of(value, path)
    content = background.content_of(path)
    ours = path.parent.resolve() == (home / FOLDER).resolve()
    if ours and background.fit(value, content) is content:
        return f"{FOLDER}/{path.name}"
    return keep(home, path.name, content)


def earlier(home: Path, ledger: Ledger) -> dict[str, bytes | None]:
    """Return pictures of ``backgrounds/``, then colours and links of past renders.

    The newest first, each with a small JPEG, of links None; files that cannot be
    read are left out.
    """
    files: list[Path] = []
    with suppress(OSError):  # one may go away meanwhile
        # others are what editors and we ourselves put beside them
        files += sorted((home / FOLDER).glob("[!.~]*"), key=getmtime, reverse=True)
    newest = (f"{FOLDER}/{path.name}" for path in files[:LISTED])
    values = (*newest, *ledger.facts.backgrounds())
    found = {value: look(home, value) for value in values}
    return {k: thumb for k, thumb in found.items() if thumb or "://" in k}


def look(home: Path, value: str) -> bytes | None:
    """Return a small JPEG of a background; None when there is nothing to show."""
    from PIL import Image  # noqa: PLC0415 - 50 ms

    if background.COLOR.fullmatch(value):
        return preview.small_jpeg(Image.new("RGB", (32, 32), value))
    if not (path := background.file_of(value, home)):
        return None
    try:
        name = short_id(str(background.stamp_of(value, path)))
        kept = home / LOOKS / f"{name}.jpg"
        if not kept.exists():
            picture = preview.open_image(path)
            picture.thumbnail((_THUMB_PX, _THUMB_PX))
            write_whole(kept, preview.small_jpeg(picture))
        return kept.read_bytes()
    except (OSError, ConfigError, PreviewError):
        return None
