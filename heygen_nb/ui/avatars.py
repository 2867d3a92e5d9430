"""Choosing an avatar: by words, whose it is, its shape, and by sight."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.renderer.search import SearchIndex, word_label
from heygen_nb.ui._base import make, shared_layout
from heygen_nb.ui.freshness import Freshness
from heygen_nb.ui.gallery import Gallery, Tile
from heygen_nb.ui.markup import markup
from heygen_nb.ui.voices import ANY

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from heygen_nb.models import Avatar
    from heygen_nb.ui._base import Panel


class AvatarPicker(widgets.VBox):
    """All avatar looks of the account: search while typing, see, choose.

    Args:
        panel: Whose part it is.
        choose: Called with the avatar when “Use this avatar” is clicked.
    """

    def __init__(
        self, panel: Panel, choose: Callable[[Avatar], Coroutine[Any, Any, object]]
    ) -> None:
        self._panel, self._choose = panel, choose
        self._catalogue = panel.desk.catalogue
        self._finder: SearchIndex[Avatar] = SearchIndex([])
        self._all: dict[str, Avatar] = {}
        self._current, self._near = "", False
        self._chosen: Avatar | None = None
        self._build_filters(panel)
        self.gallery = Gallery(panel, self._show)
        self._count = panel.say(make(widgets.HTML), "value", self._count_words)
        self._details = panel.say(make(widgets.HTML), "value", self._detail_words)
        self.use = panel.button(lambda: _("Use this avatar"), self._use, "hg-primary")
        self.freshness = Freshness(panel, "avatars", self._refresh)
        super().__init__(
            (
                self.t_search,
                make(widgets.HBox, "hg-filters", children=self._filters),
                self._count,
                self.gallery,
                self._details,
                make(widgets.HBox, "hg-buttons", children=(self.use,)),
                self.freshness,
            ),
            layout=shared_layout(),
        )
        for field in (self.t_search, *self._filters):
            field.observe(lambda _change: panel.spawn(self._search), "value")

    def _build_filters(self, panel: Panel) -> None:
        self.t_search = panel.field(
            widgets.Text, lambda: _("🔎 Name, kind or id"), placeholder="…"
        )
        self.d_owner = panel.field(widgets.Dropdown, lambda: _("Whose"), options=ANY)
        panel.say(self.d_owner, "options", _owner_options)
        self.d_shape = panel.field(
            widgets.Dropdown, lambda: _("Orientation"), options=ANY
        )
        panel.say(self.d_shape, "options", _shape_options)
        self._filters = (self.d_owner, self.d_shape)

    async def begin(self, current: str) -> None:
        """Bring the avatars: the first ones as soon as they are there.

        Args:
            current: The id of the look in use; empty for the first own one.
        """
        self._current = current
        await self._load()

    async def _refresh(self) -> None:
        await self._load(refresh=True)

    async def _load(self, *, refresh: bool = False) -> None:
        def part(avatars: Sequence[Avatar]) -> None:
            if not self._all:  # the others come all at once
                self._panel.spawn(partial(self._take, tuple(avatars)))

        self.freshness.wait()
        try:
            avatars = await self._catalogue.avatars(refresh=refresh, on_part=part)
        finally:
            self.freshness.show()
        await self._take(avatars)

    async def _take(self, avatars: Sequence[Avatar]) -> None:
        if len(avatars) < len(self._all):
            return  # the whole list was quicker than its beginning
        empty = not self._all
        self._all = {avatar.id: avatar for avatar in avatars}
        self._finder = SearchIndex(avatars)
        used = self._current or next((a.id for a in avatars if a.ready), "")
        if self._chosen is None:
            self._chosen = self._all.get(used)
            self.gallery.mark(used)
        self._tell()
        await (self._search() if empty else self.gallery.update(self._tiles()))

    async def _search(self) -> None:
        chosen = self._chosen.id if self._chosen else ""
        await self.gallery.fill(self._tiles(), self._picture, chosen)

    def _tiles(self) -> list[Tile]:
        found = self._finder.search(self.t_search.value, self._fits)
        hits = list(found.items)
        if not self.t_search.value.strip():  # the one in use is never far away
            hits.sort(key=lambda avatar: avatar.id != self._current)
        self._near = found.near
        self._count.value = self._count_words()
        return [Tile(a.id, a.name, _facts(a)) for a in hits]

    def _fits(self, avatar: Avatar) -> bool:
        whose = "own" if avatar.own else "public"
        return self.d_owner.value in ("", whose) and (
            self.d_shape.value in ("", avatar.orientation)
        )

    async def _picture(self, avatar_id: str) -> bytes | None:
        avatar = self._all.get(avatar_id)
        return await self._catalogue.picture(avatar) if avatar else None

    async def _show(self, avatar_id: str) -> None:
        self._chosen = self._all.get(avatar_id)
        self._tell()

    async def _use(self) -> None:
        if self._chosen and self._chosen.ready:
            self._current = self._chosen.id
            await self._choose(self._chosen)

    def _tell(self) -> None:
        self.use.disabled = not (self._chosen and self._chosen.ready)
        self._details.value = self._detail_words()

    def _detail_words(self) -> str:
        avatar = self._chosen
        if avatar is None:
            return ""
        facts = [avatar.id, word_label(avatar.kind), _facts(avatar)]
        if avatar.engines:
            engines = ", ".join(avatar.engines)
            facts.append(_("engines: {engines}").format(engines=engines))
        if avatar.default_voice_id:
            name = self._catalogue.voice_name(avatar.default_voice_id)
            facts.append(_("usual voice: {voice}").format(voice=name))
        said = markup(avatar.name, "hg-strong")
        said += "".join(markup(fact) for fact in facts if fact)
        return f'<div class="hg-meta">{said}</div>'

    def _count_words(self) -> str:
        if not self._near:
            return ""
        return markup(_("Nothing fits.") + " " + _("The nearest are shown."), "warn")


def _facts(avatar: Avatar) -> str:
    """Return what matters at first sight: shape, whose, whether it is ready."""
    facts = [word_label(avatar.orientation)]
    facts += [_("own")] if avatar.own else []
    facts += [] if avatar.ready else [_("not ready yet")]
    return " · ".join(filter(None, facts))


def _owner_options() -> tuple[tuple[str, str], ...]:
    return (_("own and public"), ""), (_("own"), "own"), (_("public"), "public")


def _shape_options() -> tuple[tuple[str, str], ...]:
    shapes = ("portrait", "landscape", "square")
    return ((_("all"), ""), *((word_label(shape), shape) for shape in shapes))
