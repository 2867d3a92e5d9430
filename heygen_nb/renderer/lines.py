"""The wording of the generation log, one place for file, screen and panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heygen_nb.heygen import phase
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from heygen_nb.models import ProgressStatus

_EMOJI: dict[ProgressStatus, str] = {
    "pending": "⏳",
    "processing": "🎬",
    "completed": "✅",
    "failed": "❌",
    "unknown": "🔄",
}


def started(draft_id: str) -> str:
    """The first line of a render."""
    return _("🎬 Creating video for script #{id}...").format(id=draft_id)


def chosen(voice: str, avatar: str) -> str:
    """Who will speak, named before anything is paid."""
    if not avatar:
        return _("🎤 Voice: {voice} · background only").format(voice=voice)
    return _("🎤 Voice: {voice} · avatar: {avatar}").format(voice=voice, avatar=avatar)


def uploading(name: str) -> str:
    """Before a background that is a file is uploaded; only if it is not there."""
    return _("🖼️ Uploading the background {name}...").format(name=name)


def speaking() -> str:
    """Before the speech is made, in exact mode."""
    return _("🎙️ Making the speech first, for the exact length...")


def submitting() -> str:
    """Before the create is sent."""
    return _("📤 Sending script to the HeyGen API...")


def status(word: str, elapsed_s: float, reason: str = "") -> str:
    """One look at the status; an unknown word is shown as it came."""
    found = phase(word)
    shown = word if found == "unknown" else found
    line = _("{emoji} Status: {status} ({seconds}s elapsed)").format(
        emoji=_EMOJI[found], status=shown, seconds=round(elapsed_s)
    )
    return f"{line}: {reason}" if reason else line


def created(video_id: str) -> str:
    """The render has ended well."""
    return _("✅ Video created! ID: {id}").format(id=video_id)


def timed_out(video_id: str, waited_s: float) -> str:
    """Waiting has stopped; the render has not."""
    return _(
        "⌛ Stopped waiting after {seconds}s. Video {id} is not lost: waiting can go on"
    ).format(seconds=round(waited_s), id=video_id)


def already_made(video_id: str) -> str:
    """Nothing is paid again for an unchanged draft."""
    return _("♻️ This draft has video {id} already: nothing is paid again").format(
        id=video_id
    )


def sent() -> str:
    """The post is in the chat."""
    return _("📱 Video sent to Telegram")


def elsewhere() -> str:
    """Another process has the render; this one follows."""
    return _("⏳ Another process works on this render: waiting for it")
