"""``finish``: captions, canvas and loudness of films that are paid for, anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heygen_nb.api import check_video, finish_video
from heygen_nb.cli.console import say
from heygen_nb.config import load_settings
from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import set_language
from heygen_nb.models import Video
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.finish import words_of

if TYPE_CHECKING:
    from heygen_nb.cli.commands import FinishOptions
    from heygen_nb.renderer.account import Account


def run_finish(options: FinishOptions) -> int:
    """Finish the newest film of each draft anew, and say what is odd about it."""
    settings = load_settings()
    set_language(settings.language)

    async def run() -> None:
        async with open_account(settings) as account:
            for draft_id in options.drafts:
                film = await asyncio.to_thread(_newest, account, draft_id.lstrip("#"))
                video = await finish_video(
                    film,
                    captions=options.captions,
                    aspect_ratio=options.aspect_ratio,
                    loudness=options.loudness,
                    settings=settings,
                )
                say(f"✅ #{video.draft_id} {video.path}")
                for line in words_of(await check_video(video, settings=settings)):
                    say(f"⚠️ {line}")

    asyncio.run(run())
    return 0


def _newest(account: Account, draft_id: str) -> Video:
    backend = account.payer.backend
    for rows in account.ledger.history.pages():
        for row in rows:
            mine = row.draft_id == draft_id and row.backend == backend
            if mine and row.state == "downloaded":
                return Video(
                    video_id=row.video_id or "",
                    status="completed",
                    backend=backend,
                    render_id=row.id,
                )
    raise DraftError(
        _("There is no film of draft #{id}.").format(id=draft_id),
        hint=_("Render it first; heygen-nb history shows what there is."),
    )
