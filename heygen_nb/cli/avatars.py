"""``avatars``: who can be seen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heygen_nb.cli.console import say
from heygen_nb.cli.listing import ListOptions, refuse_unknown, say_footer, show_table
from heygen_nb.config import load_settings
from heygen_nb.i18n import gettext as _
from heygen_nb.workflow import open_session
from heygen_nb.workflow.finding import Finder, word_label

if TYPE_CHECKING:
    from heygen_nb.config import Settings
    from heygen_nb.models import Avatar


@dataclass(frozen=True, slots=True, kw_only=True)
class AvatarOptions(ListOptions):
    """The arguments of the command."""

    own: bool = False


def run_avatars(options: AvatarOptions) -> int:
    """Show the avatar looks that fit, own ones first."""
    settings = load_settings(backend=options.backend)
    return asyncio.run(_run(settings, options))


async def _run(settings: Settings, options: AvatarOptions) -> int:
    async with open_session(settings) as session:
        catalogue = session.renderer.catalogue
        everyone = await catalogue.avatars(refresh=options.refresh)
    found = Finder(everyone).find(
        options.text, lambda avatar: avatar.own or not options.own
    )
    refuse_unknown(found, options.text)
    shown = found.items[: options.limit]
    if options.as_json:
        for avatar in shown:
            say(avatar.model_dump_json(exclude={"picture_url"}))
        return 0
    ready = (avatar.id for avatar in everyone if avatar.ready)
    current = settings.heygen_avatar_id or next(ready, "")
    names = (_("Name"), _("Orientation"), _("Engines"), _("Avatar look id"))
    show_table(("", *names), (_row(avatar, current) for avatar in shown))
    looks = catalogue.looks
    say_footer(len(shown), len(found.items), looks.age, looks.trouble)
    return 0


def _row(avatar: Avatar, current: str) -> tuple[str, ...]:
    notes = [_("own")] if avatar.own else []
    notes += [] if avatar.ready else [_("not ready yet")]
    return (
        "👉" if avatar.id == current else "",
        " · ".join((avatar.name, *notes)),
        word_label(avatar.orientation),
        ", ".join(avatar.engines),
        avatar.id,
    )
