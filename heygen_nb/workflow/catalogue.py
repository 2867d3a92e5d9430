"""Voices and avatars to look at, listen to and choose from."""

from __future__ import annotations

import asyncio
import hashlib
import io
from datetime import timedelta
from typing import TYPE_CHECKING

from heygen_nb.address import is_loopback
from heygen_nb.config import load_settings
from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _
from heygen_nb.renderer.catalogue import catalogue_folder, keep_whole
from heygen_nb.renderer.resolve import meant
from heygen_nb.workflow.finding import Finder, is_of, speaks
from heygen_nb.workflow.session import open_session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from heygen_nb.config import Settings
    from heygen_nb.errors import HeygenNbError
    from heygen_nb.models import Avatar, Voice
    from heygen_nb.renderer.catalogue import Catalogue, Kind
    from heygen_nb.workflow.session import Session

THUMB_PX, THUMB_BYTES = 240, 10_000
_AT_ONCE = 4  # pictures fetched at a time
_HOUR, _DAY = 60, 24 * 60  # minutes
_QUALITIES = (80, 65, 50, 35)


class Choices:
    """What the account of a desk can choose from; see ``desk.catalogue``.

    Args:
        session: Gives the session of the present settings.
    """

    def __init__(
        self, session: Callable[[], AbstractAsyncContextManager[Session]]
    ) -> None:
        self._session = session
        self._catalogue: Catalogue | None = None
        self._names: dict[str, str] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def voices(self, *, refresh: bool = False) -> Sequence[Voice]:
        """Return every voice, own ones first; at most a day old."""
        async with self._session() as session:
            self._catalogue = session.renderer.catalogue
            found = await self._catalogue.voices(refresh=refresh)
        self._names |= {voice.id: voice.name for voice in found}
        return found

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
        async with self._session() as session:
            self._catalogue = session.renderer.catalogue
            found = await self._catalogue.avatars(refresh=refresh, on_part=on_part)
        self._names |= {avatar.id: avatar.name for avatar in found}
        return found

    def name_of(self, wish: str) -> str:
        """Return the name behind an id, once the lists are there; else the wish."""
        return self._names.get(wish, wish)

    async def meant(self, wish: str) -> str:
        """Return the id of the voice that a setting stands for; empty if unclear."""
        async with self._session() as session:
            hits = meant(wish, await session.renderer.catalogue.said.get())
        return hits[0].voice_id if len(hits) == 1 else ""

    def voice_name(self, voice_id: str) -> str:
        """Return a voice's name if its list is at hand, else the id."""
        voices = self._catalogue.said.known if self._catalogue else ()
        return next((v.name for v in voices if v.voice_id == voice_id), voice_id)

    async def refresh(self) -> None:
        """List voices and avatars anew."""
        await self.voices(refresh=True)
        await self.avatars(refresh=True)

    def age(self, kind: Kind = "voices") -> timedelta | None:
        """Return how old a list is; None when it has not been asked for."""
        return self._catalogue.listing(kind).age if self._catalogue else None

    def trouble(self, kind: Kind = "voices") -> HeygenNbError | None:
        """Return why the last refresh of a list brought nothing."""
        return self._catalogue.listing(kind).trouble if self._catalogue else None

    async def sample(self, voice: Voice) -> bytes:
        """Return how a voice sounds, as WAV or MP3; fetched once.

        Raises:
            PreviewError: There is no sample, or it cannot be had.
        """
        from heygen_nb.preview.fetch import (  # noqa: PLC0415 - 40 MB of libraries
            fetch_sound,
        )

        async with self._session() as session:
            catalogue, private = session.renderer.catalogue, _is_private(session)
            file = _file(session, "samples", f"{voice.id}.sound")
            if file.exists():
                return file.read_bytes()
            content = await _with_fresh_link(
                voice.sample_url,
                lambda: catalogue.sample_link(voice.id),
                lambda link: fetch_sound(link, allow_private=private),
            )
            if not content:
                message = _("HeyGen has no sample of {voice}.")
                raise PreviewError(message.format(voice=voice.name))
            await asyncio.to_thread(keep_whole, file, content)
            return content

    async def picture(self, avatar: Avatar) -> bytes:
        """Return how an avatar looks, as a small JPEG; fetched once.

        Raises:
            PreviewError: There is no picture, or it cannot be had.
        """
        from heygen_nb.preview.fetch import (  # noqa: PLC0415 - 40 MB of libraries
            fetch_image,
        )

        async with self._session() as session:
            catalogue, private = session.renderer.catalogue, _is_private(session)
            file = _file(session, "pictures", f"{avatar.id}.jpg")
            if file.exists():
                return file.read_bytes()
            async with self._turns:
                content = await _with_fresh_link(
                    avatar.picture_url,
                    lambda: catalogue.picture_link(avatar.id),
                    lambda link: fetch_image(link, allow_private=private),
                )
            thumb = await asyncio.to_thread(_thumb, content)
            await asyncio.to_thread(keep_whole, file, thumb)
            return thumb


def _is_private(session: Session) -> bool:
    return is_loopback(session.renderer.connection.base_url)


def _file(session: Session, folder: str, name: str) -> Path:
    """Return where something is kept; ids of HeyGen's are no file names."""
    lists = catalogue_folder(session.settings.home, session.renderer.account)
    return lists / folder / hashlib.sha256(name.encode()).hexdigest()[:20]


async def _with_fresh_link(
    link: str | None,
    fresh: Callable[[], Awaitable[str]],
    fetch: Callable[[str], Awaitable[bytes]],
) -> bytes:
    """Fetch by a link that may have expired; then once by a fresh one."""
    error = PreviewError(_("HeyGen has no picture or sample of it."))
    if link:
        try:
            return await fetch(link)
        except PreviewError as refused:
            error = refused
    anew = await fresh()
    if not anew or anew == link:
        raise error
    return await fetch(anew)


def _thumb(content: bytes) -> bytes:
    from heygen_nb.preview.background import (  # noqa: PLC0415 - 40 MB of libraries
        open_image,
    )

    image, buffer = open_image(content), io.BytesIO()
    image.thumbnail((THUMB_PX, THUMB_PX))
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= THUMB_BYTES:
            break
    return buffer.getvalue()


async def voices(
    text: str = "",
    *,
    language: str = "",
    gender: str = "",
    refresh: bool = False,
    settings: Settings | None = None,
) -> list[Voice]:
    """Return the voices that fit, own ones first, then the best match.

    The list is fetched once a day for each account.

    Args:
        text: Words that all have to be in name, language, gender or id.
        language: Such as ``Russian``, ``ru`` or ``русский``.
        gender: ``female`` or ``male``; a beginning is enough.
        refresh: List them anew.
        settings: By default read from home.

    Raises:
        ApiError: HeyGen refuses, or is out of reach and there is no list yet.
    """
    async with open_session(settings or load_settings()) as session:
        found = await session.renderer.catalogue.voices(refresh=refresh)
    fits = voice_filter(language, gender)
    hits = Finder(found).find(text, fits)
    return [] if hits.near else list(hits.items)


async def avatars(
    text: str = "", *, refresh: bool = False, settings: Settings | None = None
) -> list[Avatar]:
    """Return the avatar looks that fit, own ones first, then the best match.

    The list is fetched once a day for each account.

    Args:
        text: Words that all have to be in name, id, gender, kind or orientation.
        refresh: List them anew.
        settings: By default read from home.

    Raises:
        ApiError: HeyGen refuses, or is out of reach and there is no list yet.
    """
    async with open_session(settings or load_settings()) as session:
        found = await session.renderer.catalogue.avatars(refresh=refresh)
    hits = Finder(found).find(text)
    return [] if hits.near else list(hits.items)


def voice_filter(language: str, gender: str) -> Callable[[Voice], bool]:
    """Return the test whether a voice is of a language and a gender."""
    return lambda voice: speaks(voice, language) and is_of(voice.gender, gender)


def age_text(age: timedelta | None) -> str:
    """Return how old a list is, in words."""
    minutes = int((age or timedelta()).total_seconds() // 60)
    if minutes < 1:
        return _("fresh list")
    if minutes < _HOUR:
        return _("list of {count} min ago").format(count=minutes)
    if minutes < 2 * _DAY:
        return _("list of {count} h ago").format(count=minutes // _HOUR)
    return _("list of {count} d ago").format(count=minutes // _DAY)
