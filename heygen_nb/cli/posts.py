"""``resend`` and ``mark-sent``: a person settles what became of a post."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heygen_nb.cli.console import say
from heygen_nb.config import load_settings
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import set_language
from heygen_nb.posting import Posting
from heygen_nb.renderer.account import open_account

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from heygen_nb.cli.commands import MarkSentOptions, ResendOptions


def run_resend(options: ResendOptions) -> int:
    """Send a post that is not in the chat."""
    asyncio.run(_settled(lambda posting: posting.resend(options.post)))
    say(_("📱 Post {id} is in the chat.").format(id=options.post))
    return 0


def run_mark_sent(options: MarkSentOptions) -> int:
    """Note that a post is in the chat."""
    asyncio.run(_settled(lambda posting: posting.mark_sent(options.post)))
    say(_("📱 Post {id} is noted as sent.").format(id=options.post))
    return 0


async def _settled(work: Callable[[Posting], Awaitable[object]]) -> None:
    settings = load_settings()
    set_language(settings.language)
    async with open_account(settings) as account:
        await work(Posting(settings, account))
