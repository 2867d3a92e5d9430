"""Pictures on this machine: found, checked before anything is paid, and known again.

A picture is known by its content, so that one which was moved is not paid again.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import stat
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from heygen_nb import preview
from heygen_nb.errors import ApiError, ConfigError, NotFoundError, PreviewError
from heygen_nb.files import media_type, read_bytes
from heygen_nb.i18n import gettext as _
from heygen_nb.log import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL import Image

    from heygen_nb.log import Report
    from heygen_nb.renderer.account import Account

ASSET_PAUSES_S = (1, 2, 3, 4, 5, 5)  # until a new file is known, 20 s at most
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
NOT_UPLOADED = "not-uploaded"  # in a quote: nothing is sent for one


async def uploaded(
    account: Account,
    digest: str,
    name: str,
    read: Callable[[], bytes],
    report: Report | None = None,
) -> str:
    """Return the asset of a file that is known by its digest; upload it once, free.

    Raises:
        ConfigError: The file was changed since it was checked.
        ApiError: HeyGen did not take it.
    """
    from heygen_nb.renderer.account import turn  # noqa: PLC0415 - not for a preview

    assets, payer = account.ledger.assets, account.payer
    async with turn("asset", payer, digest):
        if known := await asyncio.to_thread(assets.find, payer, digest):
            return known
        if report:
            line = _("🖼️ Uploading the background {name}...")
            await report("pending", line.format(name=name))
        content = await asyncio.to_thread(read)
        kind = media_type(content)
        # HeyGen judges a file by its extension too; its own name tells nothing
        extension = kind.partition("/")[2].replace("mpeg", "mp3")
        sent = f"{digest[:12]}.{extension}"
        reply = await account.client.upload_asset(sent, content, kind)
        if reply.url:
            account.asset_links[reply.asset_id] = reply.url
        for pause_s in ASSET_PAUSES_S:
            try:
                await account.client.get_asset(reply.asset_id)
                break
            except NotFoundError:
                await account.clock.sleep(pause_s)
            except ApiError as error:  # that HeyGen does not say so stops nothing
                log.info("%s", error)
                break
        return await asyncio.to_thread(
            assets.keep, payer, digest, reply.asset_id, name=name, size=len(content)
        )


MAX_BYTES = 32_000_000  # POST /v3/assets takes 32 MB (developers.heygen.com)
MAX_PIXELS = 50_000_000
KINDS = ("image/png", "image/jpeg")
Stamp = tuple[Path, int, int, int]  # path, mtime, ctime, size


MAX_SIDE_PX = 2000
"""Longest side of what is kept. HeyGen takes pictures of "<2K" (its
docs/usage-limits); a 1080p video shows 1920 of it, and an upload stays small."""
_READ = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # without plug-ins
# whatever Pillow raises on a spoilt file
_BROKEN = OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError
_ORIENTATION, _UPRIGHT = 0x0112, (None, 1)


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that can be a background; ``sha256`` is what it is known by."""

    path: Path
    sha256: str

    def read(self) -> bytes:
        """Return its bytes, made fit for HeyGen; see :func:`fit`.

        Raises:
            ConfigError: They are not those that were checked.
        """
        content = content_of(self.path)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            _hash.cache_clear()
            _check.cache_clear()
            raise changed(self.path)
        return fit(str(self.path), content)


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


def picture_of(value: str, home: Path, *, moving: bool = False) -> Picture | None:
    """Return the picture that a background names; None for a colour or an address.

    Args:
        value: An absolute path, one from ``~`` or one relative to home.
        home: The home folder.
        moving: Whether an MP4 will do too, for a film that is made here.

    Raises:
        ConfigError: It is missing or too large, or no whole PNG or JPEG.
    """
    if (path := file_of(value, home)) is None:
        return None
    stamp = stamp_of(value, path)
    _check(stamp, moving)
    return Picture(path, _hash(stamp))


async def background_source(
    value: str, home: Path, *, allow_private: bool = False, moving: bool = True
) -> str | Path | bytes | None:
    """Return what a film that is made here has behind it: a colour, file or picture.

    Raises:
        ConfigError: It is a file that is not there, or no picture.
        PreviewError: There is no picture at its address.
    """
    if not value or value.startswith("#"):
        return value or None
    if picture := await asyncio.to_thread(picture_of, value, home, moving=moving):
        return picture.path
    return await preview.fetch_image(value, allow_private=allow_private)


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
        raise refusal(value, error) from None
    if not stat.S_ISREG(found.st_mode):
        raise refusal(value, _("it is no file"))
    check_size(value, found.st_size)
    return path, found.st_mtime_ns, found.st_ctime_ns, found.st_size


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
    return hashlib.sha256(content_of(stamp[0])).hexdigest()


@lru_cache(maxsize=256)
def _check(stamp: Stamp, moving: bool) -> None:  # noqa: FBT001 - cached by place
    """Decode a whole picture: a cut one would be found out by HeyGen only."""
    name, content = str(stamp[0]), content_of(stamp[0])
    if moving and media_type(content) == "video/mp4":
        try:
            preview.probe_video(stamp[0])
        except PreviewError as error:
            raise refusal(name, error.message.rstrip(".")) from None
        return
    if media_type(content) not in KINDS:
        raise refusal(name, _("it is neither PNG nor JPEG inside"))
    with reading(name, content):
        pass


def content_of(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        ConfigError: They cannot be read.
    """
    try:
        return read_bytes(path, MAX_BYTES)
    except OSError as error:
        raise refusal(str(path), error) from None


@contextmanager
def reading(name: str, content: bytes) -> Iterator[Image.Image]:
    """Give a picture whose pixels can all be read; the block only looks at it."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - 50 ms

    check_size(name, len(content))
    takes = _("PNG, JPEG, WebP, GIF, BMP and TIFF can be used, up to 32 MB.")
    bomb = refusal(name, _("it has more than 50 million pixels"))
    try:
        with Image.open(BytesIO(content), formats=_READ) as image:
            if image.width * image.height > MAX_PIXELS:
                raise bomb
            image.load()
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise bomb from None
    except UnidentifiedImageError:
        raise refusal(name, _("it is no picture"), takes) from None
    except (*_BROKEN, struct.error):
        raise refusal(name, _("it is damaged")) from None


def fit(name: str, content: bytes) -> bytes:
    """Return a picture as HeyGen takes it, the very same bytes if they are.

    PNG and JPEG stay as they are. WebP, GIF (its first frame), BMP and TIFF become
    PNG, which loses nothing; what is turned by its EXIF data is turned for good,
    and what is larger than :data:`MAX_SIDE_PX` made smaller.

    Raises:
        ConfigError: It is none of them, damaged or too large.
    """
    from PIL import ImageOps  # noqa: PLC0415 - 50 ms

    kind = media_type(content)
    with reading(name, content) as image:
        upright = image.getexif().get(_ORIENTATION) in _UPRIGHT
        small, plain = max(image.size) <= MAX_SIDE_PX, image.mode != "CMYK"
        if kind in KINDS and upright and small and plain:
            return content
        profile = image.info.get("icc_profile") if plain else None
        mode = "RGBA" if image.has_transparency_data else "RGB"
        picture = ImageOps.exif_transpose(image).convert(mode)
    picture.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
    stream = BytesIO()
    save = partial(picture.save, stream, icc_profile=profile, exif=b"")
    save("JPEG", quality=95) if kind == "image/jpeg" else save("PNG")
    return stream.getvalue()


def refusal(name: str, reason: str | Exception, hint: str = "") -> ConfigError:
    """Return the error that says why a file cannot be a background."""
    told = getattr(reason, "strerror", None) or reason
    hint = hint or _(
        "Set heygen_background_url, or the draft's background, to a colour like"
        " #203040, a link with https://, or a PNG or JPEG file of up to 32 MB."
        " The panel converts other pictures."
    )
    problem = _("The background {file}: {reason}.")
    return ConfigError(problem, hint=hint, file=name[:200], reason=told)


def changed(path: Path) -> ConfigError:
    """Return the error of a file that is not any more what was looked at."""
    return refusal(str(path), _("it has just been changed; try again"))
