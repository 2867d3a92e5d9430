"""``demo``: the main job from script to chat, always on the local stand-ins."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from heygen_nb.api import render_drafts
from heygen_nb.cli.console import log_lines, on_terminal, out, say
from heygen_nb.cli.render import show_outcome
from heygen_nb.config import load_settings
from heygen_nb.drafts import read_drafts
from heygen_nb.files import packaged
from heygen_nb.i18n import current_language
from heygen_nb.i18n import gettext as _
from heygen_nb.renderer.account import open_account

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.cli.commands import DemoOptions
    from heygen_nb.config import Settings
    from heygen_nb.reports import Outcome

# What only the real services use: with none of it set, nothing can be paid.
_NO_KEYS: dict[str, Any] = {
    "backend": "sandbox",
    "heygen_api_key": None,
    "telegram_bot_token": None,
}


def run_demo(options: DemoOptions) -> int:
    """Render an example, post it to the sandbox chat, say where everything is."""
    chosen = None if options.language == "auto" else options.language
    settings = load_settings(language=chosen, poll_interval_s=1)
    settings = settings.model_copy(update=_NO_KEYS)
    outcome = asyncio.run(_demo(settings))
    return outcome.exit_code


async def _demo(settings: Settings) -> Outcome:
    example = packaged("examples") / f"hello_{current_language()}.md"
    drafts = read_drafts(example, example.parent)
    say(_("🧪 Sandbox: everything is local and free."))
    say(_("📝 Script: {file}").format(file=example))
    async with open_account(settings) as account:
        with log_lines(out) as progress:
            # a second demo shows the whole way again: nothing here costs money
            outcomes = await render_drafts(
                account, settings, drafts, send=True, again=True, progress=progress
            )
        show_outcome(outcomes[0], as_json=False)
        sandbox = account.sandbox
        if outcomes[0].path and sandbox:
            _say_where(outcomes[0].path, sandbox.chat_url)
            if on_terminal():
                await asyncio.to_thread(_wait_for_enter)
    return outcomes[0]


def _say_where(video: Path, chat_url: str) -> None:
    say("")
    say(_("🎞️ Video: {path}").format(path=video))
    say(_("💬 Chat page: {url} (later: heygen-nb sandbox)").format(url=chat_url))
    say(_("🚀 Open the Studio: heygen-nb lab (in a checkout: make lab)"))


def _wait_for_enter() -> None:
    say(_("The chat page can be looked at until you press Enter."))
    input()
