"""``voices`` and ``avatars``: who can speak and who can be seen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from rich.markup import escape
from rich.table import Table

from heygen_nb.cli.console import err, out, say
from heygen_nb.config import load_settings
from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Avatar, Voice
from heygen_nb.renderer.account import open_account
from heygen_nb.renderer.catalogue import age_text
from heygen_nb.renderer.resolve import meant
from heygen_nb.renderer.search import (
    SearchIndex,
    language_label,
    voice_filter,
    word_label,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from heygen_nb.cli.commands import AvatarOptions, VoiceOptions
    from heygen_nb.heygen import VoiceReply
    from heygen_nb.renderer.catalogue import Listing

_Item = TypeVar("_Item", Voice, Avatar)
_LINKS = {"sample_url", "picture_url"}  # they expire


def run_voices(options: VoiceOptions) -> int:
    """Show the voices that fit, own ones first."""
    return asyncio.run(_voices(options))


def run_avatars(options: AvatarOptions) -> int:
    """Show the avatar looks that fit, own ones first."""
    return asyncio.run(_avatars(options))


async def _voices(options: VoiceOptions) -> int:
    settings = load_settings(backend=options.backend)
    async with open_account(settings) as account:
        catalogue = account.catalogue
        everyone = await catalogue.voices(refresh=options.refresh)
        present = meant(settings.heygen_voice, await catalogue.said.get())
    current = present[0].voice_id if len(present) == 1 else ""

    def row(voice: Voice) -> tuple[str, ...]:
        return (
            "👉" if voice.id == current else "",
            voice.name + (" · " + _("own") if voice.own else ""),
            language_label(voice.language),
            word_label(voice.gender),
            "✓" if voice.exact else "",
            voice.id,
        )

    names = (_("Name"), _("Language"), _("Gender"), _("Exact length"), _("Voice id"))
    fits = voice_filter(options.language, options.gender)
    found = _fitting(everyone, options, fits)
    _show(found, options, names, row, catalogue.said)
    return 0


async def _avatars(options: AvatarOptions) -> int:
    settings = load_settings(backend=options.backend)
    async with open_account(settings) as account:
        catalogue = account.catalogue
        everyone = await catalogue.avatars(refresh=options.refresh)
    ready = (avatar.id for avatar in everyone if avatar.ready)
    current = settings.heygen_avatar_id or next(ready, "")

    def row(avatar: Avatar) -> tuple[str, ...]:
        notes = [_("own")] if avatar.own else []
        notes += [] if avatar.ready else [_("not ready yet")]
        return (
            "👉" if avatar.id == current else "",
            " · ".join((avatar.label, *notes)),
            word_label(avatar.orientation),
            ", ".join(avatar.engines),
            avatar.id,
        )

    names = (_("Name"), _("Orientation"), _("Engines"), _("Avatar look id"))
    found = _fitting(everyone, options, lambda look: look.own or not options.own)
    _show(found, options, names, row, catalogue.looks)
    return 0


def _fitting(
    everyone: Sequence[_Item],
    options: VoiceOptions | AvatarOptions,
    keep: Callable[[_Item], bool],
) -> Sequence[_Item]:
    """Return what fits.

    Raises:
        ConfigError: Nothing fits; names what is spelt alike.
    """
    text = " ".join(options.text or ())
    found = SearchIndex(everyone).search(text, keep)
    if found.items and not found.near:
        return found.items
    near = "; ".join(f"{item.name} ({item.id})" for item in found.items)
    raise ConfigError(
        _("Nothing fits “{text}”.").format(text=text)
        if text
        else _("Nothing fits these options."),
        hint=_("Nearest: {names}.").format(names=near)
        if near
        else _("Leave words or options out, or fetch the list anew with --refresh."),
    )


def _show(
    found: Sequence[_Item],
    options: VoiceOptions | AvatarOptions,
    names: Iterable[str],
    row: Callable[[_Item], Sequence[str]],
    kept: Listing[VoiceReply] | Listing[Avatar],
) -> None:
    shown = found[: options.limit]
    if options.as_json:
        for item in shown:
            say(item.model_dump_json(exclude=_LINKS))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("", *names):
        # the last column, the ids, is whole in any window
        table.add_column(name, overflow="fold", no_wrap=name.endswith("id"))
    for item in shown:
        table.add_row(*map(escape, row(item)))  # brackets in names are no markup
    out.print(table)
    count = _("showing {shown} of {total}").format(shown=len(shown), total=len(found))
    anew = _("--refresh fetches it anew")
    say(f"{count} · {age_text(kept.age)}; {anew}")
    if reason := kept.trouble:
        say(_("⚠️ It could not be fetched now: {reason}").format(reason=reason), err)
