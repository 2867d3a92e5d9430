"""The draft in the editor: texts and looks, saved by itself, never over another's."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.config import check_duration
from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import NO_BACKGROUND, Draft, Voice
from heygen_nb.timing import script_language
from heygen_nb.ui.base import Actions, Panel, Part, Words, Work, make, show
from heygen_nb.ui.catalogue import label_of
from heygen_nb.ui.html import caption_html, cut, duration_words, script_html
from heygen_nb.ui.pickers import SETTINGS, PickerSlot
from heygen_nb.ui.state import KeptDraft

if TYPE_CHECKING:
    from collections.abc import Callable

    from heygen_nb.timing import Fit

AUTOSAVE_S = 0.8
GROW_S = 0.2  # between two updates of a text that is being written
_LONG = 24  # letters of a name on a button
_MARKS = {"voice": "🎤", "avatar": "🧑", "background": "🖼️"}


class Editor(Part):
    """The texts of a draft, and below them its own voice, avatar and background.

    Args:
        panel: Whose editor it is.
        edited: Started after every change that the user makes.
        below_script: What stands under the script.
    """

    def __init__(
        self, panel: Panel, edited: Work, below_script: widgets.Widget
    ) -> None:
        self._filling = False
        self._grown = 0.0
        self.t_title = panel.field(widgets.Text, _("Title"))
        self.t_script = panel.field(widgets.Textarea, _("Script"), "hg-script", rows=8)
        self.t_caption = panel.field(widgets.Textarea, _("Caption (Telegram)"), rows=3)
        self._texts: dict[str, Any] = {
            "title": self.t_title,
            "script": self.t_script,
            "caption": self.t_caption,
        }
        self.about_script, self.about_caption = make(widgets.HTML), make(widgets.HTML)
        self.own = OwnSettings(panel, edited)
        super().__init__(
            *(self.t_title, self.t_script, self.about_script, below_script),
            *(self.t_caption, self.about_caption, self.own),
        )

        def on_edit(_change: object) -> None:
            if not self._filling:
                panel.spawn(edited)

        for field in self._texts.values():
            field.observe(on_edit, "value")

    def fill(self, draft: Draft) -> None:
        """Show a draft; this is no change by the user."""
        self._show(draft.title, draft.script, draft.caption)
        self.own.fill(draft)

    def grow(self, title: str, script: str, caption: str) -> None:
        """Show texts that are still being written, a few times a second."""
        if time.monotonic() - self._grown >= GROW_S:
            self._grown = time.monotonic()
            self._show(title, script, caption)

    def lock(self, *, now: bool) -> None:
        """Let nothing be typed or chosen while something is written."""
        for field in self._texts.values():
            field.disabled = now
        self.own.lock(now=now)

    def _show(self, *texts: str) -> None:
        self._filling = True
        for field, text in zip(self._texts.values(), texts, strict=True):
            field.value = text
        self._filling = False

    def typed(self, base: Draft) -> Draft:
        """Return ``base`` with the texts as they stand here."""
        texts = {name: field.value for name, field in self._texts.items()}
        return base.model_copy(update={**texts, **self.own.typed()})

    def count(self, target_s: float, found: Fit) -> None:
        """Say how long the script is against its target, and the caption."""
        self.about_script.value = script_html(self.t_script.value, target_s, found)
        self.about_caption.value = caption_html(self.t_caption.value)


class OwnSettings(Part):
    """What a draft has of its own; everything else is as in the settings.

    Args:
        panel: Whose part it is.
        edited: Started after every change that the user makes.
    """

    def __init__(self, panel: Panel, edited: Work) -> None:
        self._panel, self._edited = panel, edited
        self._own = dict.fromkeys(_MARKS, "")
        self._filling = False
        self._script = ""
        self._asked: tuple[object, ...] = ()
        self._other = False  # than the voice's is the language of the script
        self._place = panel.place()
        self.picker = PickerSlot(panel, self.choose, reset=True)
        self.t_duration = panel.field(
            widgets.Text, _("⏱️ Seconds"), "hg-seconds", continuous_update=False
        )
        self.t_duration.observe(self._on_duration, "value")
        panel.say(self.t_duration, "placeholder", self._usual_s)
        works: dict[str, tuple[Words, Work]] = {
            field: (partial(self._label, field), partial(self.open_picker, field))
            for field in _MARKS
        }
        fit = _("🎤 Take a voice of this language"), self.take_fitting_voice
        self.buttons = Actions(
            panel, {**works, "fit": fit}, at=self._place, more=(self.t_duration,)
        )
        self.buttons.add_class("hg-own")
        self.buttons.offer(*_MARKS)
        super().__init__(self.buttons, self._place, self.picker)

    def fill(self, draft: Draft) -> None:
        """Show what a draft has; this is no change by the user."""
        self._own = {field: getattr(draft, field) or "" for field in self._own}
        self._filling = True
        self.t_duration.value = str(draft.duration or "")
        self._filling = False
        self._place.clear()
        self.buttons.offer(*_MARKS)
        if draft.voice or draft.avatar:
            self._panel.spawn(self._learn_names)

    async def _learn_names(self) -> None:
        """Show names instead of ids."""
        await self._panel.shared.catalogue.voices()
        await self._panel.shared.catalogue.avatars()
        self.buttons.offer(*_MARKS)

    def typed(self) -> dict[str, object]:
        """Return the fields of the draft as they stand here."""
        text = self.t_duration.value.strip()
        own = {field: value or None for field, value in self._own.items()}
        return {**own, "duration": check_duration(text)[0] if text else None}

    def _usual_s(self) -> str:
        return str(self._panel.shared.video_settings.video_duration)

    def lock(self, *, now: bool) -> None:
        """Let nothing be chosen while something is written: it would be lost."""
        self.buttons.lock(now=now)
        show(self.picker, when=bool(self.picker.opened) and not now)

    def _label(self, field: str) -> str:
        shared, value = self._panel.shared, self._used(field)
        if field == "background":
            text = label_of(value) if value else _("no background")
        elif field == "avatar" and not shared.video_settings.heygen_use_avatar:
            return _("🧑 no avatar")
        else:
            text = shared.catalogue.name_of(value) or _("first avatar")
        return f"{_MARKS[field]} {cut(text, _LONG)}"

    def _used(self, field: str) -> str:
        """Return the draft's own value, else that of the settings."""
        settings = self._panel.shared.video_settings
        value = self._own[field] or getattr(settings, SETTINGS[field]) or ""
        return "" if value == NO_BACKGROUND else value

    async def open_picker(self, field: str) -> None:
        """Open the picker of a field, or close it if it is open."""
        await self.picker.toggle(field, self._used(field))

    async def choose(self, field: str, value: str | None) -> None:
        """Give the draft a value of its own; None for what the settings say."""
        none = NO_BACKGROUND if field == "background" and value is not None else ""
        self._own[field] = value or none
        self.buttons.offer(*_MARKS)
        await self._edited()

    async def choose_voice(self, voice: Voice) -> None:
        """Give the draft a voice of its own."""
        await self.choose("voice", await self._panel.shared.wish_for(voice))

    async def take_fitting_voice(self) -> None:
        """Take a voice of the script's language."""
        if voice := await self._panel.shared.fitting_voice(self._draft()):
            await self.choose_voice(voice)

    async def check_voice(self, script: str) -> None:
        """Show whether the voice speaks the language of the script."""
        self._script = script
        shared = self._panel.shared
        wish = self._own["voice"] or shared.video_settings.heygen_voice
        asked = script_language(script), wish, shared.settings
        if script.strip() and asked != self._asked:  # not with every letter
            self._asked = asked
            self._other = shared.writing.voice_for(script, wish) != wish
            if not self._other:
                with suppress(HeygenNbError):  # the question before paying will tell
                    found = await shared.fitting_voice(self._draft())
                    if self._asked is asked:
                        self._other = found is not None
        wrong = bool(script.strip() and self._other)
        self.buttons.offer(*_MARKS, *(["fit"] if wrong else []))
        button = self.buttons["voice"]
        (button.add_class if wrong else button.remove_class)("hg-wrong")
        button.tooltip = _("This voice speaks another language.") if wrong else ""

    def _draft(self) -> Draft:
        return Draft(script=self._script, voice=self._own["voice"] or None)

    def _on_duration(self, _change: object) -> None:
        text = self.t_duration.value.strip()
        if self._filling:
            return
        seconds, why = check_duration(text) if text else ("", "")
        self._filling = True
        self.t_duration.value = str(seconds)
        self._filling = False
        self._place.clear()
        if why:
            self._place.tell(duration_words(text, seconds, why), "warn")
        self._panel.spawn(self._edited)


class Autosave:
    """Keeps what is typed.

    Args:
        panel: Whose page it is; asks the questions.
        shown: Called after every change of the draft or of its state.
        turned: Called when another draft, or another version of it, is shown.

    Attributes:
        kept: The draft as it is stored.
        held: Something else writes into the editor: it is nobody's text yet, and
            not stored.
        texts: The editor; set before anything is shown.
    """

    texts: Editor

    def __init__(
        self, panel: Panel, *, shown: Callable[[], None], turned: Callable[[], None]
    ) -> None:
        self._panel = panel
        self._shown = shown
        self._turned = turned
        self._drafts = panel.shared.drafts
        self._loop = asyncio.get_running_loop()
        self._autosave: asyncio.TimerHandle | None = None
        self._saving = asyncio.Lock()
        self._storing: asyncio.Task[tuple[KeptDraft, bool]] | None = None
        self.kept: KeptDraft | None = None
        self.held = False

    def turn(self, kept: KeptDraft) -> None:
        """Show a draft."""
        self.kept = kept
        self.texts.fill(kept.draft)
        self._turned()
        self._shown()

    def typed(self) -> Draft:
        """Return the draft as it stands in the editor."""
        return self.texts.typed(self.kept.draft if self.kept else Draft(script=""))

    @property
    def changed(self) -> bool:
        """Whether something is typed that is not stored."""
        return self.kept is not None and self.typed() != self.kept.draft

    async def edited(self) -> None:
        """Save soon."""
        self._shown()
        self.forget_autosave()
        save = partial(self._panel.spawn, self.flush)
        self._autosave = self._loop.call_later(AUTOSAVE_S, save)

    def forget_autosave(self) -> None:
        """Do not save by itself what was typed last."""
        if self._autosave:
            self._autosave.cancel()

    async def flush(self) -> bool:
        """Save what is typed; tell whether it is stored now."""
        self.forget_autosave()
        async with self._saving:
            await self._stored()
            kept, typed = self.kept, self.typed()
            if self.held:
                return False
            if kept is None or typed == kept.draft:
                return True
            stored, saved = await self._store(typed, over=kept.version)
            return saved or await self._resolve(typed, stored)

    async def _store(self, typed: Draft, *, over: int) -> tuple[KeptDraft, bool]:
        """Save, also when whoever waits for it is stopped."""
        self._storing = self._loop.create_task(self._save(typed, over))
        return await asyncio.shield(self._storing)

    async def _stored(self) -> None:
        if self._storing and not self._storing.done():
            await asyncio.wait([self._storing])

    async def _save(self, typed: Draft, over: int) -> tuple[KeptDraft, bool]:
        kept = self.kept
        stored, saved = await self._drafts.save(typed, over=over)
        if saved and self.kept is kept:
            self.kept = stored
            self._shown()
        return stored, saved

    async def _resolve(self, typed: Draft, theirs: KeptDraft) -> bool:
        question = _("This draft was changed elsewhere at {time:%H:%M:%S}.").format(
            time=theirs.saved_at.astimezone() if theirs.saved_at else datetime.now(UTC)
        )
        keeps = await self._panel.ask(question, _("Keep my text"), _("Take the other"))
        if keeps is None:  # not answered: both texts stay, and it is asked again
            return False
        if not keeps:
            self.turn(theirs)
            return False
        stored, saved = await self._store(typed, over=theirs.version)
        return saved or await self._resolve(typed, stored)

    def leave(self) -> None:
        """Save at once what is typed: the page is being closed."""
        self.forget_autosave()
        if self.changed and not self.held:
            self._panel.shared.see_through(self._keep(self.typed()))

    async def _keep(self, typed: Draft) -> None:
        """Save a draft when nobody is left to be asked: no text is written over."""
        await self._stored()
        over = self.kept.version if self.kept else 0
        _theirs, saved = await self._drafts.save(typed, over=over)
        if not saved:
            own = typed.model_copy(update={"id": blank_draft().draft.id})
            await self._drafts.save(own, over=0)

    async def follow(self) -> None:
        """Take over what another panel wrote, if nothing is typed here."""
        kept = self.kept
        if kept and not self.changed and not self._saving.locked():
            stored = await self._drafts.get(kept.draft.id)
            mine = self.kept is not kept or self.changed  # by now
            if stored and not mine and stored.version != kept.version:
                self.turn(stored)


def blank_draft() -> KeptDraft:
    """Return an empty draft that is not stored yet."""
    return KeptDraft(Draft(id=secrets.token_hex(4), script=""), version=0)
