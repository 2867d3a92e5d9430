"""``doctor``: what works, what does not, and what to do about it."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from heygen_nb.cli import DoctorOptions
from heygen_nb.cli.console import say, with_account
from heygen_nb.cli.live import live_report
from heygen_nb.config import Settings, load_settings
from heygen_nb.errors import ConfigError, HeygenNbError
from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.models import Draft
from heygen_nb.money import amount_text
from heygen_nb.posting import Posting
from heygen_nb.renderer import resolve
from heygen_nb.renderer.account import Account, open_account, purse_of
from heygen_nb.renderer.animatic import make_preview

_Found = TypeVar("_Found")
LOW_DISK_BYTES = 1_000_000_000


def run_doctor(options: DoctorOptions) -> int:
    """Check everything a render needs; return the worst exit code."""
    settings = load_settings(backend=options.backend)
    if options.live:
        return with_account(settings, _live)
    return asyncio.run(_Checkup().run(settings))


class _Checkup:
    _worst = 0

    async def run(self, settings: Settings) -> int:
        check = self._check
        say(_("🏠 Home: {path}"), path=settings.home)
        await check(_("Voice, fonts and video of the preview"), _preview(settings))
        await check(_("Disk"), _disk(settings))
        async with AsyncExitStack() as stack:
            opening = stack.enter_async_context(open_account(settings))
            name = _("Ledger and backend")
            account = await check(name, opening, lambda found: found.payer.backend)
            if account:
                await self._account(account, settings)
                await check(_("Telegram"), Posting(settings, account).check())
        return self._worst

    async def _account(self, account: Account, settings: Settings) -> None:
        check = self._check
        me = await check(_("HeyGen key"), account.client.me(), lambda me: me.username)
        if me is None:
            return
        left = amount_text(*me.balance) if me.balance else _("not told")
        words = _("✅ Balance: {left}").format(left=left)
        purse = purse_of(settings)
        found = " · ".join(filter(None, (purse, settings.heygen_source)))
        say(f"{words} ({found})" if purse else words)
        voice = resolve.voice_meant(account, settings.heygen_voice)
        await check(_("HeyGen voice"), voice, resolve.describe_voice)
        if background := settings.heygen_background_url:
            picture = resolve.background_meant(account, background)
            await check(_("Background"), picture, lambda _none: background)
        if settings.heygen_use_avatar:
            look_id, engine = settings.heygen_avatar_id, settings.avatar_engine
            await check(
                _("Avatar"),
                resolve.look_meant(account, look_id, refresh=True),
                lambda look: (
                    f"{look.name} ({look.id}, {resolve.choose_engine(look, engine)})"
                ),
            )

    async def _check(
        self,
        name: str,
        probe: Awaitable[_Found],
        describe: Callable[[_Found], str] = str,
    ) -> _Found | None:
        try:
            found = await probe
            say(f"✅ {name}: {describe(found)}")
        except HeygenNbError as error:
            self._worst = max(self._worst, error.exit_code)
            say(f"❌ {name}: {error.message}")
            if error.hint:
                say(f"     👉 {error.hint}")
            return None
        return found


async def _preview(settings: Settings) -> str:
    # the background has a line of its own
    settings = settings.model_copy(update={"heygen_background_url": ""})
    with TemporaryDirectory() as folder:
        draft = Draft(script="Проверка 🎬 OK")
        made = await make_preview(draft, settings, Path(folder) / "check.mp4")
    return f"{made.width}x{made.height}"


async def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.home).free
    text = _("{gigabytes:.1f} GB free").format(gigabytes=free / 1e9)
    if free < LOW_DISK_BYTES:
        raise ConfigError(text, hint=_("Make room: videos need a place."))
    return text


async def _live(account: Account) -> int:
    """Hold the service against our reading of it; nothing is paid or changed."""
    say(_("🔎 Only free requests are sent. Paste what differs into an issue:"))
    differs = 0
    async for as_read, text in live_report(account.client):
        say(f"{'✅' if as_read else '⚠️'} {text}")
        differs += not as_read
    say(ngettext("{count} difference", "{count} differences", differs))
    return min(differs, 1)
