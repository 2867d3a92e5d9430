"""``doctor``: what works, what does not, and what to do about it."""

from __future__ import annotations

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
from heygen_nb.renderer.account import Account, open_account, purse_of
from heygen_nb.renderer.animatic import make_preview
from heygen_nb.renderer.resolve import (
    background_meant,
    choose_engine,
    describe_voice,
    look_meant,
    voice_meant,
)

_Found = TypeVar("_Found")

LOW_DISK_BYTES = 1_000_000_000


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
        left = _("not told") if amount is None else amount_text(amount, unit)
        purse = purse_of(settings)
        words = _("✅ Balance: {left}").format(left=left)
        found = " · ".join(filter(None, (purse, settings.heygen_source)))
        say(f"{words} ({found})" if purse else words)
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
                lambda: look_meant(account, settings.heygen_avatar_id, refresh=True),
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
            made = await make_preview(draft, settings, Path(folder) / "check.mp4")
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
