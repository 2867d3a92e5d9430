"""``doctor``: what works, what does not, and what to do about it.

With ``--live`` whether the service still is as ``docs/heygen-api.md`` says: only free
reads are sent, and what is printed is English, to be pasted into an issue, and names
no id, address or key.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from heygen_nb.cli.console import say, with_account
from heygen_nb.config import load_settings
from heygen_nb.errors import ApiError, ConfigError, HeygenNbError, NotFoundError
from heygen_nb.heygen import hint_for, phase
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import ngettext
from heygen_nb.models import Draft
from heygen_nb.posting import Posting
from heygen_nb.renderer.account import open_account, purse_of
from heygen_nb.renderer.animatic import preview
from heygen_nb.renderer.resolve import (
    background_meant,
    choose_engine,
    describe_voice,
    look_meant,
    voice_meant,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from heygen_nb.cli.commands import DoctorOptions
    from heygen_nb.config import Settings
    from heygen_nb.heygen import HeyGenClient
    from heygen_nb.renderer.account import Account

_Found = TypeVar("_Found")

LOW_DISK_BYTES = 1_000_000_000

_NOBODY = "heygen-nb-doctor-nobody"
_TYPES = {"studio_avatar", "digital_twin", "photo_avatar"}
_ENGINES = {"avatar_iii", "avatar_iv", "avatar_v"}
_LOOK_WORDS = {"completed", "processing", "pending_consent", "failed"}
_MOST_VIDEOS = 500
_CLOCKS_MAY_DIFFER = timedelta(minutes=5)


def run_doctor(options: DoctorOptions) -> int:
    """Check everything a render needs; return the worst exit code."""
    settings = load_settings(backend=options.backend)
    if options.live:
        return with_account(settings, _live)
    return asyncio.run(_Checkup(settings).run())


class _Checkup:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._worst = 0

    async def run(self) -> int:
        say(_("🏠 Home: {path}").format(path=self._settings.home))
        await self._check(_("Voice, fonts and video of the preview"), self._preview)
        await self._check(_("Disk"), self._disk)
        async with AsyncExitStack() as stack:
            account = await self._check(
                _("Ledger and backend"),
                lambda: stack.enter_async_context(open_account(self._settings)),
                lambda opened: opened.payer.backend,
            )
            if account:
                await self._account(account)
                chat = Posting(self._settings, account).check
                await self._check(_("Telegram"), chat)
        return self._worst

    async def _account(self, account: Account) -> None:
        settings = self._settings
        me = await self._check(_("HeyGen key"), account.client.me, lambda m: m.username)
        if me is None:
            return
        amount, unit = me.balance or (None, "")
        left = _("not told") if amount is None else f"{amount:.2f} {unit}"
        purse = purse_of(settings)
        words = _("✅ Balance: {left}").format(left=left)
        say(f"{words} ({purse})" if purse else words)
        await self._check(
            _("HeyGen voice"),
            lambda: voice_meant(account, settings.heygen_voice),
            describe_voice,
        )
        if background := settings.heygen_background_url:
            await self._check(
                _("Background"),
                lambda: background_meant(account, background),
                lambda _none: background,
            )
        if settings.heygen_use_avatar:
            await self._check(
                _("Avatar"),
                lambda: look_meant(account, settings.heygen_avatar_id),
                lambda look: (
                    f"{look.name} ({look.id}, "
                    f"{choose_engine(look, settings.avatar_engine)})"
                ),
            )

    async def _preview(self) -> str:
        with TemporaryDirectory() as folder:
            draft = Draft(script="Проверка 🎬 OK")
            # the background has a line of its own
            settings = self._settings.model_copy(update={"heygen_background_url": ""})
            made = await preview(draft, settings, Path(folder) / "check.mp4")
            return f"{made.width}x{made.height}"

    async def _disk(self) -> str:
        free = shutil.disk_usage(self._settings.home).free
        text = _("{gigabytes:.1f} GB free").format(gigabytes=free / 1e9)
        if free < LOW_DISK_BYTES:
            raise ConfigError(text, hint=_("Make room: videos need a place."))
        return text

    async def _check(
        self,
        name: str,
        probe: Callable[[], Awaitable[_Found]],
        describe: Callable[[_Found], str] = str,
    ) -> _Found | None:
        try:
            found = await probe()
            say(f"✅ {name}: {describe(found)}")
        except HeygenNbError as error:
            self._worst = max(self._worst, error.exit_code)
            say(f"❌ {name}: {error.message}")
            if error.hint:
                say(f"     👉 {error.hint}")
            return None
        return found


async def _live(account: Account) -> int:
    """Hold the service against our reading of it; nothing is paid or changed."""
    say(_("🔎 Only free requests are sent. Paste what differs into an issue:"))
    differs = 0
    async for as_read, text in live_report(account.client):
        say(f"{'✅' if as_read else '⚠️'} {text}")
        differs += not as_read
    text = ngettext("{count} difference", "{count} differences", differs)
    say(text.format(count=differs))
    return min(differs, 1)


async def live_report(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    """Yield what was looked at: whether it is as we read it, and what was seen."""
    for look in (_purse, _unknown_ids, _videos, _voices, _looks):
        try:
            async for line in look(client):
                yield line
        except ApiError as error:
            yield False, f"{look.__name__[1:]}: {error.code or type(error).__name__}"


async def _purse(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    balance = (await client.me()).balance
    unit = balance[1] if balance else "not told"
    yield unit in ("usd", "credits"), f"purse: {unit}"
    if now := client.server_time():
        apart = abs(now - datetime.now(UTC))
        yield apart < _CLOCKS_MAY_DIFFER, f"clock: {apart.total_seconds():.0f} s apart"
    else:
        yield False, "clock: no Date header"


async def _unknown_ids(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    for name, call, wanted in (
        ("video", client.get_video(_NOBODY), "video_not_found"),
        ("asset", client.get_asset(_NOBODY), "asset_not_found"),
        ("look", client.get_look(_NOBODY), "avatar_not_found"),
        ("voice", client.get_voice(_NOBODY), "voice_not_found"),
    ):
        code = await _code_of(call)
        yield code == wanted, f"unknown {name}: {code}"
    words = {row.status for row in await client.video_statuses([_NOBODY])}
    yield words <= {"not_found"}, f"unknown video in bulk: {_told(words)}"


async def _code_of(call: Awaitable[object]) -> str:
    try:
        await call
    except NotFoundError as error:
        return error.code or "404 without a code"
    except ApiError as error:
        return f"{error.status} {error.code}"
    return "found"


async def _videos(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    strangers = await _first(client.list_videos(title=_NOBODY), 1)
    yield not strangers, "title filter: " + ("ignored" if strangers else "works")
    videos = await _first(client.list_videos(), _MOST_VIDEOS)
    times = [video.created_at for video in videos if video.created_at]
    newest_first = times == sorted(times, reverse=True)
    yield newest_first, f"order of {len(videos)} videos: newest first {newest_first}"
    strange = {v.status for v in videos if phase(v.status) == "unknown"}
    yield not strange, f"unknown status words: {_told(strange)}"
    codes = {v.failure_code for v in videos if v.failure_code}
    unhelped = {code for code in codes if not hint_for(code)}
    yield not unhelped, f"failure codes without a hint: {_told(unhelped)}"
    done = [video for video in videos if phase(video.status) == "completed"]
    poor = sum(1 for video in done if not (video.video_url and video.duration_s))
    yield not poor, f"completed videos without link or length: {poor} of {len(done)}"


async def _first(items: AsyncIterator[_Found], most: int) -> list[_Found]:
    found: list[_Found] = []
    async for item in items:
        found.append(item)
        if len(found) == most:
            break
    return found


async def _voices(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    voices = [voice async for voice in client.list_voices()]
    starfish = [voice async for voice in client.list_voices(engine="starfish")]
    yield bool(starfish), f"voices: {len(voices)}, of them starfish {len(starfish)}"
    languages = Counter(voice.language or "" for voice in voices)
    spoken = {name: languages[name] for name in ("English", "Russian")}
    yield all(spoken.values()), f"voices by language: {spoken}"


async def _looks(client: HeyGenClient) -> AsyncIterator[tuple[bool, str]]:
    looks = [look async for look in client.list_looks()]
    yield bool(looks), f"looks: {len(looks)}"
    for name, known, found in (
        ("types", _TYPES, {look.avatar_type for look in looks}),
        ("engines", _ENGINES, {e for k in looks for e in k.supported_api_engines}),
        ("statuses", _LOOK_WORDS, {look.status for look in looks if look.status}),
    ):
        yield found <= known, f"unknown {name} of looks: {_told(found - known)}"
    for kind in sorted(_TYPES):
        sets = Counter(
            "+".join(sorted(look.supported_api_engines)) or "none"
            for look in looks
            if look.avatar_type == kind
        )
        counts = ", ".join(f"{name} {count}" for name, count in sets.most_common())
        yield True, f"engines of {kind}: {counts or '-'}"
    shapes = (look.preferred_orientation or look.image_width for look in looks)
    shapeless = sum(1 for shape in shapes if not shape)
    yield not shapeless, f"looks without orientation and size: {shapeless}"


def _told(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "none"
