"""One video: it plays, and all that can be known of it and done with it."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from heygen_nb.api import check_video, finish_video
from heygen_nb.errors import ArgumentError, HeygenNbError
from heygen_nb.i18n import again, gettext as _, ngettext
from heygen_nb.models import ASPECT_RATIOS, Draft, Outcome
from heygen_nb.posting import Posting
from heygen_nb.renderer import finish, order
from heygen_nb.renderer.account import Account
from heygen_nb.renderer.advance import advance
from heygen_nb.reports import HistoryLine, line_by_id
from heygen_nb.ui.base import Actions, Panel, Part, Words, Work, make, row
from heygen_nb.ui.display import relative
from heygen_nb.ui.html import clock, failure_html, markup, picture_bytes, thumb_html
from heygen_nb.ui.state import SharedState
from heygen_nb.ui.widgets import Player

OneWork = Callable[[Account, SharedState, HistoryLine], Awaitable[object]]
"""What is done with one video."""


class FilmPanel(Panel):
    """A panel beside which a video is looked at.

    All such panels of the Studio have one view: it shows what is looked at in the one
    that is seen.
    """

    looked_at = ""
    """The id of the render that is looked at here."""

    columns: widgets.HBox
    """The panel's own column, then the video once there is one."""

    common_view: Callable[[], VideoView] | None = None
    """Gives the one view of the Studio."""

    @cached_property
    def view(self) -> VideoView:
        """The video that is looked at; made for the first one."""
        return self.common_view() if self.common_view else VideoView(self)

    async def look_at(self, render_id: str) -> None:
        """Show a render and play its video; without an id take it away."""
        self.looked_at = render_id
        if render_id and not self._resting:
            await self.view.look_at(render_id)
        view = (self.view,) if self.looked_at else ()
        self.columns.children = (*self.columns.children[:1], *view)

    def rest(self, *, now: bool) -> None:
        """Leave news for later; show the film of here again when it is seen."""
        super().rest(now=now)
        if self.looked_at and not now:
            self.spawn(partial(self.look_at, self.looked_at))


class VideoView(Part):
    """The video that is looked at, its caption, and what can be done with it.

    Args:
        panel: Where it stands.

    Attributes:
        finishes: The fields of how the film is to be finished, by what
            :func:`heygen_nb.api.finish_video` calls them.
    """

    on_draft: Callable[[str], None] | None = None
    """Called with the id of a draft that was made from an old one."""

    def __init__(self, panel: Panel) -> None:
        self._panel, self._shared = panel, panel.shared
        self.line: HistoryLine | None = None
        self._caption, self._keeping, self._finishing = "", asyncio.Lock(), False
        self.player, self._facts = Player(), make(widgets.HTML)
        self.place = panel.place()
        self.t_caption = panel.field(
            widgets.Textarea,
            _("Caption (Telegram)"),
            on=self._keep_caption,
            at=self.place,
            rows=3,
            continuous_update=False,
        )
        self.actions = Actions(panel, self._works(), at=self.place)
        super().__init__(css="hg-side hg-film")

    @cached_property
    def t_video_id(self) -> widgets.Text:
        """Where a person says which video it is."""
        return self._panel.field(widgets.Text, _("Video id at HeyGen"))

    @cached_property
    def finish_row(self) -> widgets.HBox:
        """The fields that say how the film is to be finished, and the button for it."""
        panel, work = self._panel, self._doing(self._finish)
        self.finishes = {
            name: panel.field(widgets.Dropdown, words, "hg-short", options=options)
            for name, (words, options) in _FINISHES.items()
        }
        button = panel.button(_("Finish (free)"), work, at=self.place)
        return row(*self.finishes.values(), button)

    def _works(self) -> dict[str, tuple[Words, Work]]:
        doing, post_again = self._doing, partial(post, again=True)
        twice = _("It is in the chat already. Post it a second time?")
        paid = _("Have you looked at HeyGen? A new render is paid again.")
        pay = _("Pay for another")
        gone = _(
            "Delete the files of this video? As long as HeyGen keeps it, they can be"
            " fetched again, and nothing is paid again."
        )
        return {
            "send": (_("📱 Send to Telegram"), doing(post)),
            "again": (_("📱 Send again"), doing(post_again, twice, _("Send again"))),
            "is there": (_("✓ It is in the chat"), doing(_mark_sent)),
            "not there": (_("📱 It is not there: send"), doing(_resend)),
            "check": (_("🔍 Check"), doing(check)),
            "finish": (_("🎛 Captions, canvas, loudness"), self._open_finish),
            "fetch": (_("⇩ Fetch the file again"), doing(_fetch)),
            "adopt": (_("This is the video"), doing(self._adopt)),
            "pay": (_("There is none: pay again"), doing(_pay_again, paid, pay)),
            "reuse": (_("✎ New draft from this"), self.new_draft),
            "link": (_("🔗 Copy link"), partial(self._tell_path, "link")),
            "folder": (_("📂 Folder"), partial(self._tell_path, "folder")),
            "delete": (_("🗑 Delete"), doing(delete, gone, _("Delete"))),
        }

    async def refresh(self) -> None:
        """Show what has become of it."""
        if self.line:
            await self.look_at(self.line.render_id)

    async def look_at(self, render_id: str) -> None:
        """Show a render and play its video; a caption that is being typed stays."""
        other = self.line is None or self.line.render_id != render_id
        videos = self._shared.settings.videos_path
        line = self.line = await self._shared.read(
            lambda ledger: line_by_id(ledger, videos, render_id)
        )
        if other or self.player.path != line.file:
            self.player.play(line.file)
        self._draw(line)
        if other or self.t_caption.value == self._caption:
            kept = await self._shared.drafts.get(line.draft_id)
            draft = kept.draft if kept else await self._draft_of(line)
            if self.line is line:  # the caption that a post would have
                self._caption = self.t_caption.value = draft.caption

    def _draw(self, line: HistoryLine) -> None:
        self._facts.value = ending_html(line)
        here, unsure = line.file is not None, line.sent == "unsure"
        unknown = line.status == "unknown"
        parts = (
            self.player,
            self._facts,
            *((self.t_video_id,) if unknown else ()),
            *((self.t_caption,) if here and not unsure else ()),
            self.actions,
            *((self.finish_row,) if here and self._finishing else ()),
            self.place,
        )
        if self.children != parts:
            self.children = parts
        self.actions.offer(
            "reuse",
            *(("check", "finish", "link", "folder", "delete") if here else ()),
            *(("is there", "not there") if unsure else ()),
            *(("adopt", "pay") if unknown else ()),
            here and line.sent is False and "send",
            here and line.sent is True and "again",
            line.path and not here and "fetch",
            line.link and "link",
        )
        # studio.js copies it
        self.actions["link"].tooltip = line.link or str(line.path or "")
        self.actions["folder"].tooltip = relative(line.path.parent) if line.path else ""

    async def _keep_caption(self) -> None:
        """Keep the caption in the draft, or in the render if there is no draft."""
        async with self._keeping:  # a post waits for the caption it is to have
            line, caption = self.line, self.t_caption.value
            if line is None or caption == self._caption:
                return
            self._caption = caption
            if kept := await self._shared.drafts.get(line.draft_id):
                draft = kept.draft.model_copy(update={"caption": caption})
                await self._shared.drafts.save(draft, over=kept.version)
            else:
                await self._shared.read(
                    lambda ledger: ledger.note(line.render_id, caption=caption)
                )

    async def _draft_of(self, line: HistoryLine) -> Draft:
        """Return what was rendered, as it was then."""
        shared, render_id = self._shared, line.render_id
        return Draft.of(await shared.read(lambda ledger: ledger.render(render_id)))

    # What can be done

    def _doing(self, work: OneWork, question: str = "", yes: str = "") -> Work:
        """Return the work of a button that does something with the video."""

        async def do() -> None:
            line = self.line  # another one may be chosen before the answer
            if line is None or (question and not await self._panel.ask(question, yes)):
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
        wish = {name: field.value for name, field in self.finishes.items()}
        wish["aspect_ratio"] = wish["aspect_ratio"] or None
        await finish_anew(account, shared, line, **wish)
        self.player.play(None)  # the file of that name is another one now

    async def _adopt(
        self, account: Account, shared: SharedState, line: HistoryLine
    ) -> None:
        video_id = self.t_video_id.value.strip()
        if not video_id:
            raise ArgumentError(_("Paste the id of the video first."))
        await order.adopt(account, line.render_id, video_id)
        shared.jobs.take_up()

    async def _tell_path(self, name: str) -> None:
        self._panel.tell(self.actions[name].tooltip, "hg-path")

    async def new_draft(self) -> None:
        """Make a draft of what was rendered, to be changed."""
        if self.line:
            old = await self._draft_of(self.line)
            draft = old.model_copy(update={"id": secrets.token_hex(4)})
            await self._shared.drafts.save(draft, over=0)
            self._panel.tell(_("Draft #{id} was made.").format(id=draft.id))
            if self.on_draft:
                self.on_draft(draft.id)


async def post(
    account: Account, shared: SharedState, line: HistoryLine, *, again: bool = False
) -> None:
    """Post a video under the caption that its draft has by now.

    Raises:
        DeliveryError: It is not in the chat, or may be.
    """
    video = await advance(account, line.render_id)
    posting, say = Posting(shared.settings, account), shared.jobs.say
    await posting.send(video, again=again, progress=lambda told: say(told.message))


async def _resend(account: Account, shared: SharedState, line: HistoryLine) -> None:
    await Posting(shared.settings, account).resend(line.post_id or 0)


async def _mark_sent(account: Account, shared: SharedState, line: HistoryLine) -> None:
    await Posting(shared.settings, account).mark_sent(line.post_id or 0)


async def _fetch(account: Account, _shared: SharedState, line: HistoryLine) -> None:
    await advance(account, line.render_id)


async def _pay_again(account: Account, shared: SharedState, line: HistoryLine) -> None:
    await order.order_again(account, line.render_id, shared.settings)
    shared.jobs.take_up()


async def check(account: Account, shared: SharedState, line: HistoryLine) -> None:
    """Look at a video, and note what is not as it was ordered."""
    await check_video(await advance(account, line.render_id), settings=shared.settings)


async def finish_anew(
    account: Account, shared: SharedState, line: HistoryLine, **wish: Any
) -> None:
    """Finish a film as is wished, else as the settings say now; it costs nothing."""
    video = await advance(account, line.render_id)
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
    here = [line for line in lines if line.file]
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
        ended = done.format(done=count - len(problems), count=count)
        faults = (f"#{draft_id}: {again(fault)}" for draft_id, fault in problems)
        return "\n".join((ended, *faults))

    panel.tell(told, "warn" if problems else "ok")
    panel.shared.tell("renders")


def facts_of(line: Outcome) -> Iterator[tuple[str, str]]:
    """Yield what became of a render, in a few words each, and their colours."""
    words, colour = _STATES[line.status]
    yield again(words), colour
    if line.duration_s:
        length = _("{seconds:.1f} s").format(seconds=line.duration_s)
        if line.target_s:
            asked = _("asked: {target:.0f} s").format(target=line.target_s)
            length = f"{length}, {asked}"
        yield length, ""
    known = line if isinstance(line, HistoryLine) else None
    if known and known.submitted_at and known.completed_at:
        took = (known.completed_at - known.submitted_at).total_seconds()
        yield _("made in {time}").format(time=clock(took)), ""
    if line.cost:  # computed from the rates
        yield "≈" + _("cost {amount:.2f}").format(amount=line.cost), ""
    if known and known.findings == "":
        yield "✓ " + _("checked"), "ok"
    yield from ((f"⚠️ {words}", "warn") for words, _frame in _findings(line))
    if line.sent:
        unsure = line.sent == "unsure"
        yield (_("⚠️ unsure"), "warn") if unsure else (_("📱 sent"), "ok")


def _findings(line: Outcome) -> list[tuple[str, Path]]:
    noted = line.findings if isinstance(line, HistoryLine) else None
    return finish.noted_findings(noted, line.path) if noted and line.path else []


def ending_html(line: Outcome) -> str:
    """Return all that is known of a render that has ended."""
    facts = "".join(markup(*fact) for fact in facts_of(line))
    parts = [f'<div class="hg-meta">{facts}</div>']
    parts += [
        thumb_html(picture_bytes(frame), words, "hg-frame")
        for words, frame in _findings(line)
    ]
    if line.path:
        parts.append(markup(relative(line.path), "hg-hint hg-path", "div"))
    if line.error:
        parts.append(failure_html(line.error))
    return "".join(parts)


_STYLES = (_("the spoken word lit"), True), (_("plain"), "plain"), (_("none"), False)
_CANVASES = (_("as it was made"), ""), *((ratio, ratio) for ratio in ASPECT_RATIOS)
_LUFS = ((_("{lufs} LUFS").format(lufs=n), float(n)) for n in (-14, -16, -19, -23))
_FINISHES: dict[str, tuple[str, Words]] = {
    "captions": (_("Captions"), _STYLES),
    "aspect_ratio": (_("Canvas"), _CANVASES),
    "loudness": (_("Loudness"), (*_LUFS, (_("as it was made"), 0.0))),
}
_STATES = {
    "completed": (_("✅ completed"), "ok"),
    "submitted": (_("🎬 rendering"), ""),
    "planned": (_("⏳ planned"), ""),
    "failed": (_("❌ failed"), "bad"),
    "rejected": (_("⛔ refused, not charged"), "bad"),
    "unknown": (_("⚠️ to be settled"), "warn"),
    "timed_out": (_("⏳ waiting stopped"), ""),
}
STATUSES = (
    (_("all"), ""),
    *((_STATES[name][0], name) for name in _STATES if name != "timed_out"),
    (_("📱 sent"), "sent"),
    (_("not sent"), "unsent"),
    (_("not checked"), "unchecked"),
    (_("⚠️ failed the check"), "faulty"),
)
"""What a render in the history can be, to choose from."""
