"""What an account can choose from: its voices and looks, listed once a day.

Listing all of them takes some twenty requests; the lists are kept in home, a folder
for each account. So is what was told of each look that a film was ordered with.
"""

import asyncio
import hashlib
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ValidationError

from heygen_nb import errors, preview
from heygen_nb.clock import utc_now
from heygen_nb.files import write_whole
from heygen_nb.heygen import HeyGenClient
from heygen_nb.heygen.wire import LookReply, VoiceReply
from heygen_nb.i18n import gettext as _
from heygen_nb.log import log
from heygen_nb.models import Avatar, Payer, Voice

FOLDER = ".catalogue"
FRESH_FOR = timedelta(hours=24)
_FIRST_FRESH_FOR = timedelta(hours=1)  # a look made meanwhile comes first
_JUST_NOW = timedelta(minutes=1)
THUMB_PX, THUMB_BYTES = 240, 10_000
_AT_ONCE = 4  # pictures and samples fetched at a time
_HOUR, _DAY = 60, 24 * 60  # minutes
_PART = 50  # items after which somebody who looks on is shown what there is
_OUT_OF_REACH = (*errors.UNCLEAR, errors.NetworkError, errors.RateLimitedError)

Kind = Literal["voices", "avatars"]
OnPart = Callable[[Sequence[Any]], object]
R = TypeVar("R", bound=BaseModel)


class Kept(BaseModel, Generic[R]):
    """A list as it lies on disk."""

    fetched_at: AwareDatetime
    items: list[R]


@dataclass(eq=False)
class Listing(Generic[R]):
    """One list of one account: in memory, on disk, or fetched anew.

    Attributes:
        form: What it is a list of.
        fetch: Asks HeyGen for all pages.
        file: Where it is kept. A broken file counts as none.
        now: The time, aware UTC.
        fresh_for: How old it may become.
        trouble: Why the last refresh brought nothing.
        items: What is in memory.
        fetched_at: When HeyGen gave it; None when it is not known yet.
    """

    form: type[Kept[R]]
    fetch: Callable[[], AsyncIterator[R]]
    file: Path
    now: Callable[[], datetime]
    fresh_for: timedelta = FRESH_FOR
    trouble: errors.HeygenNbError | None = None
    items: Sequence[R] = ()
    fetched_at: datetime | None = None
    _asked_at: datetime | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def age(self) -> timedelta | None:
        """How old the list is; None when it is not known yet."""
        return self.now() - self.fetched_at if self.fetched_at else None

    async def get(
        self, *, refresh: bool = False, on_part: OnPart | None = None
    ) -> Sequence[R]:
        """Return the list; a stale one when HeyGen cannot be reached.

        Args:
            refresh: Ask HeyGen however young the list is.
            on_part: Called with what there is so far while pages come in.

        Raises:
            ApiError: HeyGen refuses, or is out of reach and there is no list.
        """
        async with self._turn:
            if not self._fresh():
                with suppress(OSError, ValidationError):
                    kept = await asyncio.to_thread(self._read)
                    self.items, self.fetched_at = kept.items, kept.fetched_at
            if refresh or not self._fresh():
                await self._renew(on_part)
            return self.items

    def _read(self) -> Kept[R]:
        return self.form.model_validate_json(self.file.read_bytes())

    async def meant(self, choose: Callable[[Sequence[R]], Sequence[R]]) -> Sequence[R]:
        """Return what is chosen; the list is asked for anew if that is not one.

        Raises:
            ApiError: Nothing fits, and HeyGen cannot be asked.
        """
        known = await self.get()
        just_asked = self._asked_at and self.now() - self._asked_at < _JUST_NOW
        found = choose(known)
        if len(found) != 1 and not just_asked:
            found = choose(await self.get(refresh=True))  # made or deleted since?
        if not found and self.trouble:
            raise self.trouble
        return found

    def forget(self) -> None:
        """Drop what is known: HeyGen is asked at the next use."""
        self.items, self.fetched_at = (), None
        with suppress(OSError):
            self.file.unlink(missing_ok=True)

    def _fresh(self) -> bool:
        age = self.age
        return age is not None and timedelta(minutes=-5) < age < self.fresh_for

    async def _renew(self, on_part: OnPart | None) -> None:
        self._asked_at, items = self.now(), list[R]()
        try:
            async for item in self.fetch():
                items.append(item)
                if on_part and len(items) % _PART == 0:
                    on_part(items)
        except _OUT_OF_REACH as error:
            self.trouble = error
            if self.fetched_at is None:
                raise
            log.warning(_("A kept list is used: %s"), error)
            return
        self.trouble, self.items, self.fetched_at = None, items, self.now()
        kept = self.form(fetched_at=self.fetched_at, items=items)
        await _keep(self.file, kept.model_dump_json())


@dataclass(eq=False)
class Catalogue:
    """Voices and looks of one account, to list, hear and see.

    Attributes:
        client: HeyGen.
        folder: Where lists, samples and pictures are kept, see
            :func:`catalogue_folder`.
        allow_private: Whether samples and pictures may come from this machine; for
            the sandbox.
        now: The time, aware UTC.
        said: The voices as HeyGen lists them, own ones first.
        starfish: The voices that can make speech beforehand.
        looks: The looks, own ones first.
    """

    client: HeyGenClient
    folder: Path
    allow_private: bool = False
    now: Callable[[], datetime] = utc_now
    _used: dict[str, Listing[LookReply]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the lists; nothing is asked for yet."""
        self._fetching = asyncio.Semaphore(_AT_ONCE)
        voices, now, folder = self.client.list_voices, self.now, self.folder
        exact, form = partial(voices, engine="starfish"), Kept[VoiceReply]
        self.said = Listing(form, voices, folder / "voices.json", now)
        self.starfish = Listing(form, exact, folder / "starfish.json", now)
        self.looks = Listing(Kept[Avatar], self._list_looks, folder / "looks.json", now)
        self.lists: dict[Kind, Listing[Any]]
        self.lists = {"voices": self.said, "avatars": self.looks}

    async def _list_looks(self) -> AsyncIterator[Avatar]:
        seen: Counter[str] = Counter()  # one of several with the same name is numbered
        for ownership in ("private", "public"):
            async for look in self.client.list_looks(ownership=ownership):
                seen[look.name] += 1
                yield Avatar(
                    id=look.id,
                    name=look.name,
                    number=seen[look.name],
                    own=ownership == "private",
                    kind=look.avatar_type,
                    gender=look.gender or "",
                    orientation=look.shape,
                    engines=look.supported_api_engines,
                    default_voice_id=look.default_voice_id,
                    picture_url=look.preview_image_url,
                    ready=look.status in (None, "completed"),
                )

    async def voices(self, *, refresh: bool = False) -> list[Voice]:
        """Return every voice, own ones first."""
        said = await self.said.get(refresh=refresh)
        exact = {v.voice_id for v in await self.starfish.get(refresh=refresh)}
        return [
            Voice(
                id=voice.voice_id,
                name=voice.name,
                language=voice.language or "",
                gender=voice.gender or "",
                own=voice.type == "private",
                exact=voice.voice_id in exact,
                pauses=voice.support_pause,
                sample_url=voice.preview_audio_url,
            )
            for voice in said
        ]

    async def avatars(
        self, *, refresh: bool = False, on_part: OnPart | None = None
    ) -> Sequence[Avatar]:
        """Return every look, own ones first; ``on_part`` gets the first ones early."""
        if refresh:  # single looks may have changed as well
            self._used.clear()
            shutil.rmtree(self.folder / "used", ignore_errors=True)
        return await self.looks.get(refresh=refresh, on_part=on_part)

    def used(self, look_id: str) -> Listing[LookReply]:
        """Return the list of one look, to order films with; see :func:`find_look`.

        A look that HeyGen is not done with is never kept. One that changes later is
        refused by HeyGen for free; then it is to be forgotten.
        """

        async def usable() -> AsyncIterator[LookReply]:
            look = await find_look(self.client, look_id)
            if look.status in ("processing", "pending_consent"):
                problem = _("Avatar “{name}” cannot be used yet: {status}.")
                hint = _("Nothing was sent. Wait, give the consent, or choose another.")
                told = {"name": look.name, "status": look.status}
                raise errors.ConfigError(problem, hint=hint, **told)
            yield look

        if look_id not in self._used:
            file = self._file("used", look_id)
            fresh_for = FRESH_FOR if look_id else _FIRST_FRESH_FOR
            known = Listing(Kept[LookReply], usable, file, self.now, fresh_for)
            self._used[look_id] = known
        return self._used[look_id]

    def name_of(self, wish: str) -> str:
        """Return the name behind an id, as far as the lists are at hand; else it."""
        names = {voice.voice_id: voice.name for voice in self.said.items}
        names |= {look.id: look.name for look in self.looks.items}
        return names.get(wish, wish)

    async def shown(self, item: Voice | Avatar) -> bytes:
        """Return how a voice sounds, as WAV or MP3, or a small JPEG of an avatar.

        It is fetched once; by a link that may have expired, then once by a fresh one.
        HeyGen's preview of an avatar is the source picture (1536x2728 seen, August
        2026), so it is scaled down before it is kept.

        Raises:
            PreviewError: There is none, or it cannot be had.
        """
        again: Callable[[str], Awaitable[BaseModel]]
        if isinstance(item, Voice):
            file = self._file("samples", f"{item.id}.sound")
            again, name = self.client.get_voice, "preview_audio_url"
            link, fetch = item.sample_url, preview.fetch_sound
        else:
            file = self._file("pictures", f"{item.id}.jpg")
            again, name = self.client.get_look, "preview_image_url"
            link, fetch = item.picture_url, preview.fetch_image
        if file.exists():
            return file.read_bytes()
        async with self._fetching:
            link = link or getattr(await again(item.id), name)
            if not link:
                raise errors.PreviewError(_("HeyGen has no picture or sample of it."))
            try:
                content = await fetch(link, allow_private=self.allow_private)
            except errors.PreviewError:
                anew = getattr(await again(item.id), name)
                if not anew or anew == link:
                    raise
                content = await fetch(anew, allow_private=self.allow_private)
        if isinstance(item, Avatar):
            content = await asyncio.to_thread(_thumb, content)
        await _keep(file, content)
        return content

    def _file(self, folder: str, name: str) -> Path:
        """Return where something is kept; ids of HeyGen's are no file names."""
        return self.folder / folder / hashlib.sha256(name.encode()).hexdigest()[:20]


def catalogue_folder(home: Path, account: Payer) -> Path:
    """Return where the lists of an account are kept: no two accounts share one."""
    who = f"{account.backend}\0{account.base_url}\0{account.fingerprint}"
    return home / FOLDER / hashlib.sha256(who.encode()).hexdigest()[:32]


async def find_look(client: HeyGenClient, look_id: str) -> LookReply:
    """Ask for a look; an empty id is the first own one, else the first public one.

    Raises:
        ConfigError: There is no such look.
    """
    if look_id:
        try:
            return await client.get_look(look_id)
        except errors.NotFoundError:
            problem = _("There is no avatar “{id}”.")
            hint = _(
                "`heygen-nb avatars` lists them; leave heygen_avatar_id empty to "
                "use the first one you have."
            )
            raise errors.ConfigError(problem, hint=hint, id=look_id) from None
    async for look in client.list_looks():
        if look.status in (None, "completed"):
            return look
    hint = _("Make one at HeyGen, or switch “use avatar” off.")
    raise errors.ConfigError(_("This account has no avatar."), hint=hint)


async def _keep(file: Path, content: bytes | str) -> None:
    """Keep what can be fetched again; a full disk is no error."""
    try:
        await asyncio.to_thread(write_whole, file, content)
    except OSError as error:
        log.warning("%s", error)


def _thumb(content: bytes) -> bytes:
    image = preview.open_image(content)
    image.thumbnail((THUMB_PX, THUMB_PX))
    return preview.small_jpeg(image, THUMB_BYTES)


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
