"""``voices`` and ``avatars``: who can speak and who can be seen."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from heygen_nb import cli
from heygen_nb.cli.console import err, say, show_table, with_account
from heygen_nb.config import load_settings
from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Avatar, Voice
from heygen_nb.renderer import resolve
from heygen_nb.renderer.account import Account
from heygen_nb.renderer.catalogue import Listing, age_text

_Item = TypeVar("_Item", Voice, Avatar)
_LINKS = {"sample_url", "picture_url"}  # they expire


def run_voices(options: cli.VoiceOptions) -> None:
    """Show the voices that fit, own ones first."""
    settings = load_settings(backend=options.backend)

    async def voices(account: Account) -> None:
        said = account.catalogue.said
        everyone = await account.catalogue.voices(refresh=options.refresh)
        meant = resolve.meant(settings.heygen_voice, await said.get())
        current = meant[0].voice_id if len(meant) == 1 else ""
        fits = resolve.voice_filter(options.language, options.gender)
        _show(options, everyone, fits, _voice_row, current=current, listing=said)

    with_account(settings, voices)


def _voice_row(voice: Voice) -> dict[str, str]:
    return {
        _("Name"): voice.name + (" · " + _("own") if voice.own else ""),
        _("Language"): resolve.language_label(voice.language),
        _("Gender"): resolve.word_label(voice.gender),
        _("Exact length"): "✓" if voice.exact else "",
        _("Voice id"): voice.id,
    }


def run_avatars(options: cli.AvatarOptions) -> None:
    """Show the avatar looks that fit, own ones first."""
    settings = load_settings(backend=options.backend)

    async def avatars(account: Account) -> None:
        everyone = await account.catalogue.avatars(refresh=options.refresh)
        ready = (avatar.id for avatar in everyone if avatar.ready)
        current = settings.heygen_avatar_id or next(ready, "")

        def fits(avatar: Avatar) -> bool:
            return avatar.own or not options.own

        looks = account.catalogue.looks
        _show(options, everyone, fits, _avatar_row, current=current, listing=looks)

    with_account(settings, avatars)


def _avatar_row(avatar: Avatar) -> dict[str, str]:
    notes = [_("own")] if avatar.own else []
    notes += [] if avatar.ready else [_("not ready yet")]
    return {
        _("Name"): " · ".join((avatar.label, *notes)),
        _("Orientation"): resolve.word_label(avatar.orientation),
        _("Engines"): ", ".join(avatar.engines),
        _("Avatar look id"): avatar.id,
    }


def _show(
    options: cli.VoiceOptions | cli.AvatarOptions,
    everyone: Sequence[_Item],
    fits: Callable[[_Item], bool],
    row: Callable[[_Item], dict[str, str]],
    *,
    current: str,
    listing: Listing[Any],
) -> None:
    """Show what fits, and how old the list is.

    Raises:
        ConfigError: Nothing fits; names what is spelt alike.
    """
    text = " ".join(options.text or ())
    found = resolve.search(everyone, text, fits)
    if found.near or not found.items:
        wrong = (
            _("Nothing fits “{text}”.") if text else _("Nothing fits these options.")
        )
        hint = _("Leave words or options out, or fetch the list anew with --refresh.")
        if near := "; ".join(f"{item.name} ({item.id})" for item in found.items):
            hint = _("Nearest: {names}.").format(names=near)
        raise ConfigError(wrong.format(text=text), hint=hint)
    shown = found.items[: options.limit]
    if options.as_json:
        for item in shown:
            say(item.model_dump_json(exclude=_LINKS))
        return
    rows: list[dict[str, str]] = [
        {"": "👉" if item.id == current else "", **row(item)} for item in shown
    ]
    show_table(rows, whole=[*rows[0]][-1])  # the id
    count = _("showing {shown} of {total}")
    count = count.format(shown=len(shown), total=len(found.items))
    anew = _("--refresh fetches it anew")
    say(f"{count} · {age_text(listing.age)}; {anew}")
    if reason := listing.trouble:
        say(_("⚠️ It could not be fetched now: {reason}").format(reason=reason), err)
