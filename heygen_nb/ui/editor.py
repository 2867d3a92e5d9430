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
from heygen_nb.ui.backgrounds import label_of
from heygen_nb.ui.base import Actions, Part, Words, Work, make, put, show
from heygen_nb.ui.html import caption_html, cut, duration_words, script_html
from heygen_nb.ui.pickers import SETTINGS, PickerSlot
from heygen_nb.ui.state import KeptDraft

if TYPE_CHECKING:
    from heygen_nb.ui.drafts import DraftsPanel

AUTOSAVE_S = 0.8
GROW_S = 0.2  # between two updates of a text that is being written
_TEXTS = "title", "script", "caption"
_LONG = 24  # letters of a name on a button
_MARKS = {"voice": "🎤", "avatar": "🧑", "background": "🖼️"}


class Editor(Part):
    """The texts of a draft, and below them its own voice, avatar and background.

    Args:
        panel: Whose editor it is: asks which of two texts counts, and follows.

    Attributes:
        kept: The draft as it is stored.
        draft: The draft as it is typed and chosen; what only grows here is not in it.
        held: Something else writes here: nothing is stored until it has ended.
    """

    def __init__(self, panel: DraftsPanel) -> None:
        self._panel: DraftsPanel = panel
        self._drafts = panel.shared.drafts
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._saving = asyncio.Lock()
        self._storing: asyncio.Task[tuple[KeptDraft, bool]] | None = None
        self._grown = 0.0
        self.kept, self.held = blank_draft(), False
        self.draft = self.kept.draft
        self.t_title = panel.field(widgets.Text, _("Title"))
        self.t_script = panel.field(widgets.Textarea, _("Script"), "hg-script", rows=8)
        self.t_caption = panel.field(widgets.Textarea, _("Caption (Telegram)"), rows=3)
        fields = self.t_title, self.t_script, self.t_caption
        self._texts: dict[Any, str] = dict(zip(fields, _TEXTS, strict=True))
        for field in self._texts:
            field.observe(self._on_edit, "value")
        self.about_script, self.about_caption = make(widgets.HTML), make(widgets.HTML)
        self.own = OwnSettings(panel, self)
        super().__init__(
            *(self.t_title, self.t_script, self.about_script, panel.rewriter),
            *(self.t_caption, self.about_caption, self.own),
        )

    # What is shown

    def turn(self, kept: KeptDraft) -> None:
        """Show a draft, or another version of it."""
        self.kept = kept
        self.fill(kept.draft)
        self._panel.turned()

    def fill(self, draft: Draft) -> None:
        """Show what a draft has; this is no change by the user."""
        self.draft = draft
        self._show(draft.title, draft.script, draft.caption)
        self.own.fill()

    def grow(self, *texts: str) -> None:
        """Show texts that are still being written, a few times a second."""
        if time.monotonic() - self._grown >= GROW_S:
            self._grown = time.monotonic()
            self._show(*texts)

    def _show(self, *texts: str) -> None:
        for field, text in zip(self._texts, texts, strict=True):
            put(field, self._on_edit, value=text)

    def count(self) -> None:
        """Say how long the texts are, and offer what can be done about it."""
        draft, shared = self.draft, self._panel.shared
        self._panel.spawn(partial(self.own.check_voice, draft))
        target_s = draft.duration or shared.video_settings.video_duration
        found = shared.writing.fit(draft.script, target_s, draft.voice)
        self.about_script.value = script_html(draft.script, target_s, found)
        self.about_caption.value = caption_html(draft.caption)
        self._panel.rewriter.suggest(draft, found)

    def lock(self, *, now: bool) -> None:
        """Let nothing be typed or chosen while something is written."""
        for field in self._texts:
            field.disabled = now
        self.own.lock(now=now)

    # What is typed

    @property
    def changed(self) -> bool:
        """Whether something is typed that is not stored."""
        return not self.held and self.draft != self.kept.draft

    def change(self, **values: object) -> None:
        """Give the draft other values than it is stored with."""
        self.draft = self.draft.model_copy(update=values)
        self._panel.spawn(self.edited)

    def _on_edit(self, change: dict[str, Any]) -> None:
        self.change(**{self._texts[change["owner"]]: change["new"]})

    async def edited(self) -> None:
        """Save soon; what was said of the text before is over."""
        self._panel.save_place.clear()
        self._panel.show_state()
        if self._timer:
            self._timer.cancel()
        save = partial(self._panel.spawn, self.flush)
        self._timer = self._loop.call_later(AUTOSAVE_S, save)

    async def still(self) -> None:
        """Wait until nothing is typed any more.

        A click overtakes what was typed just before it: ipywidgets sends the next
        letters when it has heard of the last ones, and clicks at once.
        """
        while (timer := self._timer) and timer.when() > self._loop.time():  # noqa: ASYNC110 - typing moves it
            await asyncio.sleep(timer.when() - self._loop.time())

    async def flush(self) -> bool:
        """Save what is typed; tell whether it is stored now."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        async with self._saving:
            await self._stored()
            typed, over = self.draft, self.kept.version
            if not self.changed:
                return not self.held
            while True:
                self._storing = self._loop.create_task(self._save(typed, over))
                # stored also when whoever waits for it is stopped
                theirs, saved = await asyncio.shield(self._storing)
                if saved:
                    return True
                at = theirs.saved_at or datetime.now(UTC)
                question = _("This draft was changed elsewhere at {time:%H:%M:%S}.")
                question = question.format(time=at.astimezone())
                yes, no = _("Keep my text"), _("Take the other")
                keeps = await self._panel.ask(question, yes, no)
                if keeps is False:
                    self.turn(theirs)
                if not keeps:  # None is no answer: both stay, and it is asked again
                    return False
                over = theirs.version

    async def _stored(self) -> None:
        if self._storing:
            await asyncio.wait([self._storing])

    async def _save(self, typed: Draft, over: int) -> tuple[KeptDraft, bool]:
        kept = self.kept
        stored, saved = await self._drafts.save(typed, over=over)
        if saved and self.kept is kept:
            self.kept = stored
            self._panel.show_state()
        return stored, saved

    def leave(self) -> None:
        """Save at once what is typed: the page is being closed."""
        if self.changed:
            self._panel.shared.see_through(self._keep(self.draft))

    async def _keep(self, typed: Draft) -> None:
        """Save a draft when nobody is left to be asked: no text is written over."""
        await self._stored()
        _theirs, saved = await self._drafts.save(typed, over=self.kept.version)
        if not saved:
            await self._drafts.save(another(typed), over=0)

    async def follow(self) -> None:
        """Take over what another panel wrote, if nothing is typed here."""
        kept = self.kept
        if not self.changed and not self._saving.locked():
            stored = await self._drafts.get(kept.draft.id)
            mine = self.kept is not kept or self.changed  # by now
            if stored and not mine and stored.version != kept.version:
                self.turn(stored)


class OwnSettings(Part):
    """What a draft has of its own; everything else is as in the settings."""

    def __init__(self, panel: DraftsPanel, editor: Editor) -> None:
        self._panel: DraftsPanel = panel
        self._editor = editor
        self._asked: tuple[object, ...] = ()
        self._other = False  # than the voice's is the language of the script
        self._place = panel.place()
        self.picker = PickerSlot(panel, self.choose, reset=True)
        self.t_duration = panel.field(
            widgets.Text, _("⏱️ Seconds"), "hg-seconds", continuous_update=False
        )
        self.t_duration.observe(self._on_duration, "value")
        panel.say(self.t_duration, "placeholder", self._usual_seconds)
        works: dict[str, tuple[Words, Work]] = {
            field: (partial(self._label, field), partial(self.open_picker, field))
            for field in _MARKS
        }
        works["fit"] = _("🎤 Take a voice of this language"), self._take_fitting_voice
        self.buttons = Actions(panel, works, at=self._place, more=(self.t_duration,))
        self.buttons.add_class("hg-own")
        self.buttons.offer(*_MARKS)
        super().__init__(self.buttons, self._place, self.picker)

    def fill(self) -> None:
        """Show what the draft has; this is no change by the user."""
        draft = self._editor.draft
        self._show_seconds(draft.duration or "")
        self.buttons.offer(*_MARKS)
        if draft.voice or draft.avatar:
            self._panel.spawn(self._learn_names)

    async def _learn_names(self) -> None:
        """Show names instead of ids."""
        await self._panel.shared.listed("voices")
        await self._panel.shared.listed("avatars")
        self.buttons.offer(*_MARKS)

    def _usual_seconds(self) -> str:
        return str(self._panel.shared.video_settings.video_duration)

    def _show_seconds(self, seconds: object) -> None:
        put(self.t_duration, self._on_duration, value=str(seconds))
        self._place.clear()

    def _on_duration(self, _change: object) -> None:
        text = self.t_duration.value.strip()
        seconds, why = check_duration(text) if text else (None, "")
        self._show_seconds(seconds or "")
        if why:
            self._place.tell(duration_words(text, seconds, why), "warn")
        self._editor.change(duration=seconds)

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
            text = shared.name_of(value) or _("first avatar")
        return f"{_MARKS[field]} {cut(text, _LONG)}"

    def _used(self, field: str) -> str:
        """Return the draft's own value, else that of the settings."""
        settings = self._panel.shared.video_settings
        value = getattr(self._editor.draft, field) or getattr(settings, SETTINGS[field])
        return "" if value == NO_BACKGROUND else value

    async def open_picker(self, field: str) -> None:
        """Open the picker of a field, or close it if it is open."""
        await self.picker.toggle(field, self._used(field))

    async def choose(self, field: str, value: str | None) -> None:
        """Give the draft a value of its own; None for what the settings say."""
        if value == "" and field == "background":
            value = NO_BACKGROUND
        self._editor.change(**{field: value or None})
        self.buttons.offer(*_MARKS)

    async def take_voice(self, voice: Voice) -> Draft:
        """Give the draft a voice of its own; return what is stored."""
        await self.choose("voice", await self._panel.shared.wish_for(voice))
        await self._editor.flush()
        return self._editor.draft

    async def _take_fitting_voice(self) -> None:
        if voice := await self._panel.shared.fitting_voice(self._editor.draft):
            await self.take_voice(voice)

    async def check_voice(self, draft: Draft) -> None:
        """Show whether the voice speaks the language of the script."""
        shared, written = self._panel.shared, draft.script.strip()
        wish = draft.voice or shared.video_settings.heygen_voice
        asked = script_language(draft.script), wish, shared.settings
        if written and asked != self._asked:  # not with every letter
            self._asked, self._other = asked, False
            with suppress(HeygenNbError):  # the question before paying will tell
                found = await shared.fitting_voice(draft)
                if self._asked is asked:
                    self._other = found is not None
        wrong = bool(written and self._other)
        self.buttons.offer(*_MARKS, wrong and "fit")
        button = self.buttons["voice"]
        (button.add_class if wrong else button.remove_class)("hg-wrong")
        button.tooltip = _("This voice speaks another language.") if wrong else ""


def blank_draft() -> KeptDraft:
    """Return an empty draft that is not stored yet."""
    return KeptDraft(another(Draft(script="")), version=0)


def another(draft: Draft) -> Draft:
    """Return a new draft that says the same."""
    return draft.model_copy(update={"id": secrets.token_hex(4)})
