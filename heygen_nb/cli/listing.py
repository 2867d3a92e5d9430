"""``voices`` and ``avatars``: who can speak and who can be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from heygen_nb.cli import AvatarOptions, VoiceOptions
from heygen_nb.cli.console import err, say, show_table, with_account
from heygen_nb.config import load_settings
from heygen_nb.errors import ConfigError
from heygen_nb.heygen.wire import VoiceReply
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Avatar, Voice
from heygen_nb.renderer.account import Account
from heygen_nb.renderer.catalogue import Listing, age_text
from heygen_nb.renderer.resolve import (
    SearchIndex,
    language_label,
    meant,
    voice_filter,
    word_label,
)

_Item = TypeVar("_Item", Voice, Avatar)
_LINKS = {"sample_url", "picture_url"}  # they expire


def run_voices(options: VoiceOptions) -> int:
    """Show the voices that fit, own ones first."""
    settings = load_settings(backend=options.backend)

    async def voices(account: Account) -> int:
        catalogue = account.catalogue
        everyone = await catalogue.voices(refresh=options.refresh)
        present = meant(settings.heygen_voice, await catalogue.said.get())
        current = present[0].voice_id if len(present) == 1 else ""
        fits = voice_filter(options.language, options.gender)

        def row(voice: Voice) -> dict[str, str]:
            return {
                "": "👉" if voice.id == current else "",
                _("Name"): voice.name + (" · " + _("own") if voice.own else ""),
                _("Language"): language_label(voice.language),
                _("Gender"): word_label(voice.gender),
                _("Exact length"): "✓" if voice.exact else "",
                _("Voice id"): voice.id,
            }

        return _show(_fitting(everyone, options, fits), options, row, catalogue.said)

    return with_account(settings, voices)


def run_avatars(options: AvatarOptions) -> int:
    """Show the avatar looks that fit, own ones first."""
    settings = load_settings(backend=options.backend)

    async def avatars(account: Account) -> int:
        catalogue = account.catalogue
        everyone = await catalogue.avatars(refresh=options.refresh)
        ready = (avatar.id for avatar in everyone if avatar.ready)
        current = settings.heygen_avatar_id or next(ready, "")

        def row(avatar: Avatar) -> dict[str, str]:
            notes = [_("own")] if avatar.own else []
            notes += [] if avatar.ready else [_("not ready yet")]
            return {
                "": "👉" if avatar.id == current else "",
                _("Name"): " · ".join((avatar.label, *notes)),
                _("Orientation"): word_label(avatar.orientation),
                _("Engines"): ", ".join(avatar.engines),
                _("Avatar look id"): avatar.id,
            }

        found = _fitting(everyone, options, lambda look: look.own or not options.own)
        return _show(found, options, row, catalogue.looks)

    return with_account(settings, avatars)


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
    row: Callable[[_Item], dict[str, str]],
    kept: Listing[VoiceReply] | Listing[Avatar],
) -> int:
    shown = found[: options.limit]
    if options.as_json:
        for item in shown:
            say(item.model_dump_json(exclude=_LINKS))
        return 0
    rows: list[dict[str, str]] = [row(item) for item in shown]
    show_table(rows, whole=[*rows[0]][-1])  # the id
    count = _("showing {shown} of {total}").format(shown=len(shown), total=len(found))
    anew = _("--refresh fetches it anew")
    say(f"{count} · {age_text(kept.age)}; {anew}")
    if reason := kept.trouble:
        say(_("⚠️ It could not be fetched now: {reason}").format(reason=reason), err)
    return 0
