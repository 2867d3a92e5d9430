"""One video: it plays, and all that can be known of it and done with it."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from heygen_nb.api import finish_video
from heygen_nb.errors import ArgumentError, HeygenNbError
from heygen_nb.i18n import again, gettext as _, ngettext
from heygen_nb.models import Draft, Outcome
from heygen_nb.posting import Posting
from heygen_nb.renderer.advance import advance
from heygen_nb.renderer.finish import checked, noted_findings
from heygen_nb.renderer.order import adopt, order_again
from heygen_nb.reports import HistoryLine, line_by_id
from heygen_nb.ui.base import Actions, Panel, Part, Words, Work, make, show
from heygen_nb.ui.display import relative
from heygen_nb.ui.finishing import FinishRow
from heygen_nb.ui.html import clock, failure_html, markup, picture_html
from heygen_nb.ui.widgets import Player

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from heygen_nb.finishing import Finding
    from heygen_nb.renderer.account import Account
    from heygen_nb.ui.state import SharedState

OneWork = Callable[..., Awaitable[object]]
"""What is done with one video; called with account, state and line."""


class VideoView(Part):
    """The video that is looked at, its caption, and what can be done with it.

    Args:
        panel: Where it stands.
    """

    on_draft: Callable[[str], None] | None = None
    """Called with the id of a draft that was made from an old one."""

    def __init__(self, panel: Panel) -> None:
        self._panel, self._shared = panel, panel.shared
        self.line: HistoryLine | None = None
        self._caption = ""
        self._keeping, self._finishing = asyncio.Lock(), False
        self.player = Player()
        self.place = panel.place()
        twice = _("It is in the chat already. Post it a second time?")
        paid = _("Have you looked at HeyGen? A new render is paid again.")
        gone = _(
            "Delete the files of this video? As long as HeyGen keeps it, they can be"
            " fetched again, and nothing is paid again."
        )
        doing = self._doing
        works: dict[str, tuple[Words, Work]] = {
            "send": (_("📱 Send to Telegram"), doing(post)),
            "again": (_("📱 Send again"), doing(_post_again, twice, _("Send again"))),
            "is there": (_("✓ It is in the chat"), doing(_mark_sent)),
            "not there": (_("📱 It is not there: send"), doing(_resend)),
            "check": (_("🔍 Check"), doing(check)),
            "finish": (_("🎛 Captions, canvas, loudness"), self._open_finish),
            "fetch": (_("⇩ Fetch the file again"), doing(_fetch)),
            "adopt": (_("This is the video"), doing(self._adopt)),
            "pay": (
                _("There is none: pay again"),
                doing(_pay_again, paid, _("Pay for another")),
            ),
            "reuse": (_("✎ New draft from this"), self.new_draft),
            "link": (_("🔗 Copy link"), self._show_link),
            "folder": (_("📂 Folder"), self._show_folder),
            "delete": (_("🗑 Delete"), doing(delete, gone, _("Delete"))),
        }
        self.actions = Actions(panel, works, at=self.place)
        super().__init__(css="hg-side hg-film hg-off")

    @cached_property
    def _facts(self) -> widgets.HTML:
        return make(widgets.HTML)

    @cached_property
    def finish_row(self) -> FinishRow:
        """How the film is to be finished."""
        return FinishRow(self._panel, self._doing(self._finish), self.place)

    @cached_property
    def t_video_id(self) -> widgets.Text:
        """Where a person says which video it is."""
        return self._panel.field(widgets.Text, _("Video id at HeyGen"))

    @cached_property
    def t_caption(self) -> widgets.Textarea:
        """The caption of the post, to be changed beside its button."""
        return self._panel.field(
            widgets.Textarea,
            _("Caption (Telegram)"),
            on=self._keep_caption,
            at=self.place,
            rows=3,
            continuous_update=False,
        )

    async def look_at(self, render_id: str) -> None:
        """Show a render and play its video."""
        line = await self._read(render_id)
        self.player.play(_file(line))
        self._show(line)
        await self._show_caption()

    async def refresh(self) -> None:
        """Show what has become of it, unless its caption is being typed."""
        if self.line:
            line = await self._read(self.line.render_id or "")
            if self.player.path != _file(line):
                self.player.play(_file(line))
            self._show(line)
            if self.t_caption.value == self._caption:
                await self._show_caption()

    async def _read(self, render_id: str) -> HistoryLine:
        videos = self._shared.settings.videos_path
        return await self._shared.read(
            lambda ledger: line_by_id(ledger, videos, render_id)
        )

    def _show(self, line: HistoryLine) -> None:
        self.line = line
        show(self, when=True)
        self._facts.value = ending_html(line)
        here, unsure = has_file(line), line.sent == "unsure"
        unknown = line.status == "unknown"
        parts = (
            self.player,
            self._facts,
            *((self.t_video_id,) if unknown else ()),
            *((self.t_caption,) if here and not unsure else ()),
            self.actions,
            *((self.finish_row,) if self._finishing and here else ()),
            self.place,
        )
        if self.children != parts:
            self.children = parts
        offers = {
            "send": here and line.sent is False,
            "again": here and line.sent is True,
            "is there": unsure,
            "not there": unsure,
            "check": here,
            "finish": here,
            "fetch": line.path is not None and not here,
            "adopt": unknown,
            "pay": unknown,
            "reuse": True,
            "link": here or line.link is not None,
            "folder": here,
            "delete": here,
        }
        self.actions.offer(*(name for name, offered in offers.items() if offered))
        self.actions["link"].tooltip = _link(line)  # studio.js copies it

    async def _show_caption(self) -> None:
        """Show the caption that a post would have: the draft's of now."""
        if line := self.line:
            kept = await self._shared.drafts.get(line.draft_id)
            draft = kept.draft if kept else await self._draft_of(line)
            self._caption = self.t_caption.value = draft.caption

    async def _keep_caption(self) -> None:
        async with self._keeping:  # a post waits for the caption it is to have
            line, caption = self.line, self.t_caption.value
            if line and caption != self._caption:
                self._caption = caption
                await keep_caption(self._shared, line, caption)

    async def _draft_of(self, line: HistoryLine) -> Draft:
        """Return what was rendered, as it was then."""
        render_id = line.render_id or ""
        return await self._shared.read(
            lambda ledger: Draft.of(ledger.render(render_id))
        )

    # What can be done

    def _doing(self, work: OneWork, question: str = "", yes: str = "") -> Work:
        """Return the work of a button that does something with the video."""

        async def do() -> None:
            line = self.line  # another one may be chosen before the answer
            if line is None:
                return
            if question and not await self._panel.ask(again(question), again(yes)):
                return
            await self._keep_caption()
            self._panel.tell_busy(_("One moment…"))
            try:
                async with self._shared.account() as account:
                    await work(account, self._shared, line)
            finally:
                await self.refresh()
                if self.line:
                    self._shared.jobs.update(self.line)
            self._panel.tell(_("Done."))

        return do

    async def _open_finish(self) -> None:
        self._finishing = not self._finishing
        await self.refresh()

    async def _finish(
        self, account: Account, shared: SharedState, line: HistoryLine
    ) -> None:
        await finish_anew(account, shared, line, **self.finish_row.wish)
        self.player.play(None)  # the file of that name is another one now

    async def _adopt(
        self, account: Account, shared: SharedState, line: HistoryLine
    ) -> None:
        video_id = self.t_video_id.value.strip()
        if not video_id:
            raise ArgumentError(_("Paste the id of the video first."))
        await adopt(account, line.render_id or "", video_id)
        shared.jobs.take_up()

    async def _show_link(self) -> None:
        if self.line:
            self._panel.tell(_link(self.line), "hg-path")

    async def _show_folder(self) -> None:
        if self.line and self.line.path:
            self._panel.tell(relative(self.line.path.parent), "hg-path")

    async def new_draft(self) -> None:
        """Make a draft of what was rendered, to be changed."""
        if self.line:
            old = await self._draft_of(self.line)
            draft = old.model_copy(update={"id": secrets.token_hex(4)})
            await self._shared.drafts.save(draft, over=0)
            self._panel.tell(lambda: _("Draft #{id} was made.").format(id=draft.id))
            if self.on_draft:
                self.on_draft(draft.id)


async def post(
    account: Account, shared: SharedState, line: HistoryLine, *, again: bool = False
) -> None:
    """Post a video under the caption that its draft has by now.

    Raises:
        DeliveryError: It is not in the chat, or may be.
    """
    video = await advance(account, line.render_id or "")
    posting = Posting(shared.settings, account)
    await posting.send(
        video, again=again, progress=lambda told: shared.jobs.say(told.message)
    )


_post_again = partial(post, again=True)


async def _resend(account: Account, shared: SharedState, line: HistoryLine) -> None:
    await Posting(shared.settings, account).resend(line.post_id or 0)


async def _mark_sent(account: Account, shared: SharedState, line: HistoryLine) -> None:
    await Posting(shared.settings, account).mark_sent(line.post_id or 0)


async def _fetch(account: Account, _shared: SharedState, line: HistoryLine) -> None:
    await advance(account, line.render_id or "")


async def _pay_again(account: Account, shared: SharedState, line: HistoryLine) -> None:
    await order_again(account, line.render_id or "", shared.settings)
    shared.jobs.take_up()


async def check(
    account: Account, _shared: SharedState, line: HistoryLine
) -> list[Finding]:
    """Look at a video, and note what is not as it was ordered."""
    video = await advance(account, line.render_id or "")
    row = await asyncio.to_thread(account.ledger.render, video.render_id)
    return await checked(account, row, video)


async def finish_anew(
    account: Account, shared: SharedState, line: HistoryLine, **wish: Any
) -> None:
    """Finish a film as is wished, else as the settings say now; it costs nothing."""
    video = await advance(account, line.render_id or "")
    await finish_video(video, settings=shared.video_settings, **wish)


async def delete(_account: Account, shared: SharedState, line: HistoryLine) -> None:
    """Delete the files of a video; HeyGen has it, and the ledger knows it."""
    folder = line.path and line.path.parent
    if folder and folder.parent == shared.settings.videos_path:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def post_all(panel: Panel, lines: Iterable[HistoryLine]) -> None:
    """Post those videos that are not in the chat yet, after one question."""
    unsent = [line for line in lines if not line.sent]
    question = ngettext(
        "Send {count} video to Telegram?",
        "Send {count} videos to Telegram?",
        len(unsent),
    )
    await do_each(panel, unsent, post, question, _("Send"))


async def do_each(
    panel: Panel,
    lines: Iterable[HistoryLine],
    work: OneWork,
    question: str = "",
    yes: str = "",
) -> None:
    """Do something with each of several videos whose files are here.

    Args:
        panel: Tells and asks.
        lines: The videos.
        work: What to do with one.
        question: Asked once before, with how many there are.
        yes: The button that agrees.
    """
    here = [line for line in lines if has_file(line)]
    count, problems = len(here), []
    if not here:
        panel.tell(_("There is nothing to be done."), "warn")
        return
    if question and not await panel.ask(question.format(count=count), yes):
        return
    done = _("{done} of {count}")
    async with panel.shared.account() as account:
        for number, line in enumerate(here):
            panel.tell_busy(done.format(done=number, count=count))
            try:
                await work(account, panel.shared, line)
            except HeygenNbError as error:
                problems.append((line.draft_id, error.message))

    def told() -> str:
        ended = again(done).format(done=count - len(problems), count=count)
        faults = (f"#{draft_id}: {again(fault)}" for draft_id, fault in problems)
        return "\n".join((ended, *faults))

    panel.tell(told, "warn" if problems else "ok")
    panel.shared.tell("renders")


def has_file(line: HistoryLine) -> bool:
    """Tell whether the file of a video is here."""
    return _file(line) is not None


def _file(line: HistoryLine) -> Path | None:
    return line.path if line.path and line.path.exists() else None


def _link(line: HistoryLine) -> str:
    return line.link or str(line.path or "")


async def keep_caption(shared: SharedState, line: HistoryLine, caption: str) -> None:
    """Keep a caption in the draft, or in the render if there is no draft."""
    kept = await shared.drafts.get(line.draft_id)
    if kept:
        draft = kept.draft.model_copy(update={"caption": caption})
        await shared.drafts.save(draft, over=kept.version)
    else:
        render_id = line.render_id or ""
        await shared.read(lambda ledger: ledger.note(render_id, caption=caption))


def facts_of(line: Outcome) -> list[tuple[str, str]]:
    """Return what became of a render, in a few words each, and their colours."""
    facts = [(_STATES[line.status](), _COLOURS.get(line.status, ""))]
    if line.duration_s:
        length = _("{seconds:.1f} s").format(seconds=line.duration_s)
        if line.target_s:
            asked = _("asked: {target:.0f} s").format(target=line.target_s)
            length = f"{length}, {asked}"
        facts.append((length, ""))
    if isinstance(line, HistoryLine) and line.submitted_at and line.completed_at:
        took = (line.completed_at - line.submitted_at).total_seconds()
        facts.append((_("made in {time}").format(time=clock(took)), ""))
    if line.cost:
        cost = _("cost {amount:.2f}").format(amount=line.cost)
        facts.append((f"≈{cost}", ""))  # computed from the rates
    if isinstance(line, HistoryLine) and line.findings == "":
        facts.append(("✓ " + _("checked"), "ok"))
    facts += [("⚠️ " + words, "warn") for words, _frame in _findings(line)]
    if line.sent:
        unsure = line.sent == "unsure"
        text = _("⚠️ unsure") if unsure else _("📱 sent")
        facts.append((text, "warn" if unsure else "ok"))
    return facts


def _findings(line: Outcome) -> list[tuple[str, Path]]:
    noted = isinstance(line, HistoryLine) and line.path and line.findings
    return noted_findings(noted, line.path) if noted and line.path else []


def ending_html(line: Outcome) -> str:
    """Return all that is known of a render that has ended."""
    facts = "".join(markup(*fact) for fact in facts_of(line))
    parts = [f'<div class="hg-meta">{facts}</div>']
    parts += [
        picture_html(frame, words, "hg-frame") for words, frame in _findings(line)
    ]
    if line.path:
        parts.append(markup(relative(line.path), "hg-hint hg-path", "div"))
    if error := line.error:
        told = error.message or _("The reason given: {code}").format(code=error.code)
        parts.append(failure_html(told, error.hint, error.charged))
    return "".join(parts)


_STATES: dict[str, Callable[[], str]] = {
    "completed": lambda: "✅ " + _("completed"),
    "submitted": lambda: "🎬 " + _("rendering"),
    "planned": lambda: "⏳ " + _("planned"),
    "failed": lambda: "❌ " + _("failed"),
    "rejected": lambda: "⛔ " + _("refused, not charged"),
    "unknown": lambda: "⚠️ " + _("to be settled"),
    "timed_out": lambda: "⏳ " + _("waiting stopped"),
}
_COLOURS = {"completed": "ok", "failed": "bad", "rejected": "bad", "unknown": "warn"}


def status_options() -> tuple[tuple[str, str], ...]:
    """Return what a render in the history can be, to choose from."""
    kept = [name for name in _STATES if name != "timed_out"]
    films = {
        "sent": _("📱 sent"),
        "unsent": _("not sent"),
        "unchecked": _("not checked"),
        "faulty": _("⚠️ failed the check"),
    }
    states = ((_STATES[name](), name) for name in kept)
    return ((_("all"), ""), *states, *((text, name) for name, text in films.items()))
