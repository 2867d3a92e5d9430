"""Voice, avatar, background and length of one draft, where it differs from the rest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.config import check_duration
from heygen_nb.i18n import gettext as _
from heygen_nb.models import NO_BACKGROUND
from heygen_nb.ui._base import make, shared_layout, show
from heygen_nb.ui.avatars import AvatarPicker
from heygen_nb.ui.backgrounds import BackgroundPicker
from heygen_nb.ui.voices import VoicePicker
from heygen_nb.workflow.backgrounds import label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from heygen_nb.models import Avatar, Draft, Voice
    from heygen_nb.ui._base import Panel, Work

    Chosen = Callable[[str, str | None], Coroutine[Any, Any, object]]

_LONG = 24  # letters of a name on a button


class PickerSlot(widgets.VBox):
    """The place where one of the three pickers opens.

    Each is built when it is opened for the first time.

    Args:
        panel: Whose place it is.
        chosen: Started with the field (``voice``, ``avatar``, ``background``) and
            what was chosen for it; None for what the settings say.
        reset: Whether "as in the settings" can be chosen.
    """

    def __init__(self, panel: Panel, chosen: Chosen, *, reset: bool) -> None:
        self._panel = panel
        self._chosen = chosen
        self._pickers: dict[str, Any] = {}
        self.opened = ""
        self._reset = panel.button(lambda: _("As in the settings"), self._on_reset)
        close = panel.button(lambda: _("Close"), self.fold)
        show(self._reset, when=reset)
        self._row = make(widgets.HBox, "hg-buttons", children=(self._reset, close))
        super().__init__((), layout=shared_layout())
        self.add_class("hg-card")
        show(self, when=False)

    async def toggle(self, field: str, current: str) -> None:
        """Open the picker of a field, or close it if it is open."""
        if self.opened == field:
            await self.fold()
            return
        self.opened = field
        picker = self._pickers.get(field) or self._make(field)
        self.children = (picker, self._row)
        show(self, when=True)
        await picker.begin(current)

    async def fold(self) -> None:
        """Close whatever is open."""
        self.opened = ""
        show(self, when=False)

    def _make(self, field: str) -> Any:
        made: dict[str, Callable[[], Any]] = {
            "voice": lambda: VoicePicker(self._panel, self._on_voice),
            "avatar": lambda: AvatarPicker(self._panel, self._on_avatar),
            "background": lambda: BackgroundPicker(
                self._panel, partial(self._on_choice, "background")
            ),
        }
        self._pickers[field] = made[field]()
        return self._pickers[field]

    async def _on_voice(self, voice: Voice) -> None:
        # a name is what people read in files; the id only where names meet twice
        voices = await self._panel.desk.catalogue.voices()
        same = [v for v in voices if v.name.casefold() == voice.name.casefold()]
        await self._on_choice("voice", voice.name if len(same) == 1 else voice.id)

    async def _on_avatar(self, avatar: Avatar) -> None:
        await self._on_choice("avatar", avatar.id)

    async def _on_reset(self) -> None:
        await self._on_choice(self.opened, None)

    async def _on_choice(self, field: str, value: str | None) -> None:
        await self.fold()
        await self._chosen(field, value)


class Casting(widgets.VBox):
    """What a draft has of its own; everything else is as in the settings.

    Args:
        panel: Whose part it is.
        edited: Started after every change that the user makes.
    """

    def __init__(self, panel: Panel, edited: Work) -> None:
        self._panel = panel
        self._edited = edited
        self._own = {"voice": "", "avatar": "", "background": ""}
        self._filling = False
        self._slot = PickerSlot(panel, self._choose, reset=True)
        self._buttons = {
            field: panel.button(
                partial(self._label, field), partial(self._toggle, field), "hg-cast"
            )
            for field in self._own
        }
        self.t_duration = panel.field(
            widgets.Text,
            lambda: _("⏱️ Seconds"),
            "hg-seconds",
            continuous_update=False,
        )
        self.t_duration.observe(self._on_duration, "value")
        row = (*self._buttons.values(), self.t_duration)
        super().__init__(
            (make(widgets.HBox, "hg-buttons", children=row), self._slot),
            layout=shared_layout(),
        )
        self.relabel()

    def fill(self, draft: Draft) -> None:
        """Show what a draft has; this is no change by the user."""
        self._own = {field: getattr(draft, field) or "" for field in self._own}
        self._filling = True
        self.t_duration.value = str(draft.duration or "")
        self._filling = False
        self.relabel()
        if draft.voice or draft.avatar:
            self._panel.spawn(self._learn_names)

    async def _learn_names(self) -> None:
        """Show names instead of ids."""
        await self._panel.desk.catalogue.voices()
        await self._panel.desk.catalogue.avatars()
        self.relabel()

    def typed(self) -> dict[str, object]:
        """Return the fields of the draft as they stand here."""
        text = self.t_duration.value.strip()
        own = {field: value or None for field, value in self._own.items()}
        return {**own, "duration": check_duration(text)[0] if text else None}

    def relabel(self) -> None:
        """Show what holds now: the settings may have changed."""
        for field, button in self._buttons.items():
            button.description = self._label(field)
        seconds = self._panel.desk.video_settings.video_duration
        self.t_duration.placeholder = str(seconds)

    async def fold(self) -> None:
        """Close the open picker."""
        await self._slot.fold()

    def lock(self, *, now: bool) -> None:
        """Let nothing be chosen while something is written: it would be lost."""
        for widget in (*self._buttons.values(), self.t_duration):
            widget.disabled = now
        show(self._slot, when=bool(self._slot.opened) and not now)

    def _label(self, field: str) -> str:
        settings = self._panel.desk.video_settings
        usual = {
            "voice": settings.heygen_voice,
            "avatar": settings.heygen_avatar_id or _("first avatar"),
            "background": settings.heygen_background_url or _("no background"),
        }
        if not settings.heygen_use_avatar and field == "avatar":
            return _("🧑 no avatar")
        mark = {"voice": "🎤", "avatar": "🧑", "background": "🖼️"}[field]
        value = self._own[field] or usual[field]
        if value == NO_BACKGROUND:
            value = _("no background")
        name_of = self._panel.desk.catalogue.name_of
        text = label_of(value) if field == "background" else name_of(value)
        return f"{mark} {text if len(text) <= _LONG else text[: _LONG - 1] + '…'}"

    async def _toggle(self, field: str) -> None:
        own = self._own[field]
        await self._slot.toggle(field, "" if own == NO_BACKGROUND else own)

    async def _choose(self, field: str, value: str | None) -> None:
        none = NO_BACKGROUND if field == "background" and value is not None else ""
        self._own[field] = value or none
        self.relabel()
        await self._edited()

    def _on_duration(self, _change: object) -> None:
        text = self.t_duration.value.strip()
        if self._filling:
            return
        seconds, why = check_duration(text) if text else ("", "")
        self._filling = True
        self.t_duration.value = str(seconds)
        self._filling = False
        if why:
            self._panel.tell(f"⏱️ {text} → {seconds}: {why}.", "warn")
        self._panel.spawn(self._edited)
