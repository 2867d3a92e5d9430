"""``demo``, ``preview``, ``lab`` and ``sandbox``: what runs on this machine alone.

What a preview has no need of is loaded by the other commands when they run.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from heygen_nb import cli
from heygen_nb.cli import console
from heygen_nb.cli.console import out, say
from heygen_nb.config import load_settings
from heygen_nb.drafts import drafts_from, read_drafts
from heygen_nb.files import file_stem, packaged
from heygen_nb.i18n import current_language, gettext as _
from heygen_nb.preview import render_scene
from heygen_nb.renderer import draft_settings
from heygen_nb.renderer.animatic import FAST_PX, PREVIEWS, SHARE_PX, scene_of

if TYPE_CHECKING:
    from heygen_nb.renderer.account import Account
    from heygen_nb.sandbox.process import SandboxHandle

_FIRST = "01_studio.ipynb"
_GRACE_S = 15.0
# An uploaded file is one message of the browser. Tornado takes 10 MiB, and cuts the
# connection at more without a word. A background may have 32 MB; what is larger has
# to arrive too, or nobody could say so.
_MESSAGES = {"websocket_max_message_size": 128_000_000}
# What only the real services use: with none of it set, nothing can be paid.
_NO_KEYS = {"backend": "sandbox", "heygen_api_key": None, "telegram_bot_token": None}


def run_demo(options: cli.DemoOptions) -> int:
    """Render an example, post it to the sandbox chat, say where everything is."""
    from heygen_nb.api import render_drafts

    chosen = None if options.language == "auto" else options.language
    settings = load_settings(language=chosen, poll_interval_s=1)
    settings = settings.model_copy(update=_NO_KEYS)

    async def demo(account: Account) -> int:
        example = packaged("examples") / f"hello_{current_language()}.md"
        say(_("📝 Script: {file}"), file=example)
        drafts = read_drafts(example, example.parent)
        with console.log_lines(out) as progress:
            # a second demo shows the whole way again: nothing here costs money
            [outcome] = await render_drafts(
                account, settings, drafts, send=True, again=True, progress=progress
            )
        console.show_outcomes([outcome])
        if outcome.path and account.sandbox:
            say("")
            say(_("🎞️ Video: {path}"), path=outcome.path)
            page = _("💬 Chat page: {url} (later: heygen-nb sandbox)")
            say(page, url=account.sandbox.chat_url)
            say(_("🚀 Open the Studio: heygen-nb lab (in a checkout: make lab)"))
            if console.on_terminal():
                say(_("The chat page can be looked at until you press Enter."))
                await asyncio.to_thread(input)
        return outcome.exit_code

    return console.with_account(settings, demo, out)


def run_preview(options: cli.PreviewOptions) -> None:
    """Make the animatic of every draft in the file, or of a table's first row."""
    settings, output = load_settings(), options.output
    if options.template:
        drafts = drafts_from(options.file, options.template, settings=settings)[:1]
    else:
        drafts = read_drafts(options.file, settings.home)
    side = SHARE_PX if options.share else FAST_PX
    for draft in drafts:
        target = output or settings.home / PREVIEWS / f"{file_stem(draft.id)}.mp4"
        if len(drafts) > 1 and output:
            target = output.with_name(f"{output.stem}-{draft.id}{output.suffix}")
        scene = asyncio.run(scene_of(draft, draft_settings(draft, settings), side))
        # In this process: nobody waits for it to do something else.
        made = render_scene(scene, target.absolute())
        length = _("{seconds:.1f} s").format(seconds=made.duration_s)
        say(f"👁 #{draft.id} {target.absolute()} ({length})")


def run_lab(options: cli.LabOptions) -> int:
    """Open JupyterLab; what is not ours in the arguments goes on to it."""
    home = load_settings().home
    notebook = notebooks_in(home) / _FIRST
    say(_("📓 Opening {notebook}; Ctrl-C ends it."), notebook=notebook)
    command = [sys.executable, "-m", "jupyterlab", str(notebook)]
    command += options.arguments or ()
    # Served from home: videos beyond the server's root would not play.
    command.append(f"--ServerApp.root_dir={home}")
    command.append(f"--ServerApp.tornado_settings={_MESSAGES}")
    return _run(command, home)


def _run(command: list[str], home: Path) -> int:
    """Run JupyterLab; what ends us (Ctrl-C, SIGTERM) ends it and its kernels too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    # kernels start in notebooks/: their home is the one it was started from
    environ = {**os.environ, "HEYGEN_NB_HOME": str(home)}
    lab = subprocess.Popen(command, env=environ)  # noqa: S603 - the user's arguments
    try:
        return lab.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, before)
        lab.terminate()  # does nothing to what has ended
        try:
            lab.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            lab.kill()


def notebooks_in(home: Path) -> Path:
    """Return home's notebooks folder; copy what it lacks, change nothing in it."""
    folder = home / "notebooks"
    folder.mkdir(exist_ok=True)
    for notebook in packaged("notebooks").glob("*.ipynb"):
        if not (folder / notebook.name).exists():
            shutil.copyfile(notebook, folder / notebook.name)
    return folder


def run_sandbox(options: cli.ServeOptions) -> None:
    """Serve both stand-ins until Ctrl-C; say how to point a client at them."""
    from heygen_nb.renderer.account import SANDBOX_FOLDER
    from heygen_nb.sandbox.app import serve
    from heygen_nb.sandbox.state import SandboxOptions

    def say_where(handle: SandboxHandle) -> None:
        say(_("🧪 The sandbox serves {url}; Ctrl-C ends it."), url=handle.base_url)
        say(_("💬 Chat page: {url}"), url=handle.chat_url)
        say(_("Point any client at it with:"))
        say(f"  export HEYGEN_BASE_URL={handle.base_url}")
        say(f"  export HEYGEN_API_KEY={handle.api_key}")
        say(f"  export TELEGRAM_BASE_URL={handle.telegram_base_url}")
        say(f"  export TELEGRAM_BOT_TOKEN={handle.bot_token}")
        say(f"  export TELEGRAM_CHAT_ID={handle.chat_id}")

    folder = load_settings().home / SANDBOX_FOLDER
    chosen = SandboxOptions(fast=options.fast)
    serve(options.port, state_dir=folder, options=chosen, on_ready=say_where)
