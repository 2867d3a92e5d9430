"""``sandbox``: the stand-in for any client, until Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heygen_nb.cli.console import say
from heygen_nb.config import load_settings
from heygen_nb.i18n import gettext as _
from heygen_nb.renderer.account import SANDBOX_FOLDER
from heygen_nb.sandbox.process import serve
from heygen_nb.sandbox.state import SandboxOptions

if TYPE_CHECKING:
    from heygen_nb.cli.commands import ServeOptions
    from heygen_nb.sandbox.process import SandboxHandle


def run_sandbox(options: ServeOptions) -> int:
    """Serve both stand-ins; say how to point a client at them."""
    settings = load_settings()
    serve(
        options.port,
        state_dir=settings.home / SANDBOX_FOLDER,
        options=SandboxOptions(fast=options.fast),
        on_ready=_say_where,
    )
    return 0


def _say_where(handle: SandboxHandle) -> None:
    say(_("🧪 The sandbox serves {url}; Ctrl-C ends it.").format(url=handle.base_url))
    say(_("💬 Chat page: {url}").format(url=handle.chat_url))
    say(_("Point any client at it with:"))
    for name, value in (
        ("HEYGEN_BASE_URL", handle.base_url),
        ("HEYGEN_API_KEY", handle.api_key),
        ("TELEGRAM_BASE_URL", handle.telegram_base_url),
        ("TELEGRAM_BOT_TOKEN", handle.bot_token),
        ("TELEGRAM_CHAT_ID", handle.chat_id),
    ):
        say(f"  export {name}={value}")
