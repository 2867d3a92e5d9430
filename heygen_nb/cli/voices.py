"""``voices``: who can speak."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heygen_nb.cli.console import say
from heygen_nb.cli.listing import ListOptions, refuse_unknown, say_footer, show_table
from heygen_nb.config import load_settings
from heygen_nb.i18n import gettext as _
from heygen_nb.renderer.resolve import meant
from heygen_nb.workflow import open_session
from heygen_nb.workflow.catalogue import voice_filter
from heygen_nb.workflow.finding import Finder, language_label, word_label

if TYPE_CHECKING:
    from heygen_nb.config import Settings
    from heygen_nb.models import Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceOptions(ListOptions):
    """The arguments of the command."""

    language: str = ""
    gender: str = ""


def run_voices(options: VoiceOptions) -> int:
    """Show the voices that fit, own ones first."""
    settings = load_settings(backend=options.backend)
    return asyncio.run(_run(settings, options))


async def _run(settings: Settings, options: VoiceOptions) -> int:
    async with open_session(settings) as session:
        catalogue = session.renderer.catalogue
        everyone = await catalogue.voices(refresh=options.refresh)
        present = meant(settings.heygen_voice, await catalogue.said.get())
    fits = voice_filter(options.language, options.gender)
    found = Finder(everyone).find(options.text, fits)
    refuse_unknown(found, options.text)
    shown = found.items[: options.limit]
    if options.as_json:
        for voice in shown:
            say(voice.model_dump_json(exclude={"sample_url"}))
        return 0
    current = present[0].voice_id if len(present) == 1 else ""
    names = (_("Name"), _("Language"), _("Gender"), _("Exact length"), _("Voice id"))
    show_table(("", *names), (_row(voice, current) for voice in shown))
    said = catalogue.said
    say_footer(len(shown), len(found.items), said.age, said.trouble)
    return 0


def _row(voice: Voice, current: str) -> tuple[str, ...]:
    return (
        "👉" if voice.id == current else "",
        voice.name + (" · " + _("own") if voice.own else ""),
        language_label(voice.language),
        word_label(voice.gender),
        "✓" if voice.exact else "",
        voice.id,
    )
