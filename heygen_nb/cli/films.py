"""``render`` and ``finish``: draft files in, films out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

from heygen_nb import cli
from heygen_nb.api import check_video, finish_video, render_drafts, without_limits
from heygen_nb.cli import console
from heygen_nb.cli.console import err, out, say
from heygen_nb.config import Settings, load_settings
from heygen_nb.drafts import check_draft, drafts_from, read_drafts
from heygen_nb.errors import DraftError, LimitError
from heygen_nb.i18n import gettext as _, ngettext
from heygen_nb.models import Draft, Outcome, Video
from heygen_nb.money import amount_text
from heygen_nb.renderer.account import Account
from heygen_nb.renderer.finish import finding_text
from heygen_nb.renderer.order import over_limit, quote_all
from heygen_nb.renderer.request import Proposal

_SHOWN = 20  # plans of a large table


def run_render(options: cli.RenderOptions) -> int:
    """Render the drafts of the files; return the highest exit code that occurred."""
    settings = load_settings(backend=options.backend, avatar_engine=options.engine)
    drafts: list[Draft] = []
    for file in options.files:
        if options.template:
            drafts += drafts_from(file, options.template, settings=settings)
        else:
            drafts += read_drafts(file, settings.home)
    if options.template:  # a row may stand in several tables
        drafts = list(dict.fromkeys(drafts))
    for draft in drafts:
        check_draft(draft)
    outcomes = console.with_account(
        settings,
        lambda account: _Rendering(account, settings, options).render(drafts),
        err if options.as_json else out,
    )
    return max((outcome.exit_code for outcome in outcomes), default=0)


@dataclass
class _Rendering:
    """One run of ``render``: it asks before it pays."""

    account: Account
    settings: Settings
    options: cli.RenderOptions

    async def render(self, drafts: Sequence[Draft]) -> list[Outcome]:
        if self.options.sample:
            return await self._only_sample(drafts)
        if self.options.template:
            plans = await self._quoted(drafts)
            if known := len(drafts) - len(plans):
                text = ngettext(
                    "{count} row is rendered already and is not paid again.",
                    "{count} rows are rendered already and are not paid again.",
                    known,
                )
                say(text, err)
            costs = any(plan.quote.amount for plan in plans)
            if self._asks and costs and len(plans) > 1:
                made = await self._sample_first(drafts, plans)
                if made is not None:
                    return made
        return await self._or_stop(drafts)

    async def _only_sample(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Render the first draft that is not rendered yet, and say how to go on."""
        plans = await self._quoted(drafts, most=1)
        if not plans:
            text = ngettext(
                "✅ The {count} row is rendered already.",
                "✅ All {count} rows are rendered already.",
                len(drafts),
            )
            say(text, err)
            return []
        outcomes = await self._or_stop([plans[0].draft])
        say(_("👉 To render the other rows too, leave out --sample."), err)
        return outcomes

    async def _sample_first(
        self, drafts: Sequence[Draft], plans: Sequence[Proposal]
    ) -> list[Outcome] | None:
        """Render one row, then ask about the others; None if no sample is wished."""
        sample = plans[0].draft
        question = _("Render one of {count} rows first, as a sample?")
        made = await self._if_agreed([sample], question.format(count=len(plans)))
        if made is None or made[0].exit_code:
            return made
        if self.options.max_cost is not None:
            left = max(0.0, self.options.max_cost - (made[0].cost or 0.0))
            self.options = replace(self.options, max_cost=left)
        others = [draft for draft in drafts if draft is not sample]
        count = len(await self._quoted(others))
        question = ngettext(
            "Render the other {count}?", "Render the other {count}?", count
        )
        # asked anew: who lifts limits for one does not for all
        rest = await self._if_agreed(others, question)
        return made + (rest or [])

    async def _or_stop(self, drafts: Sequence[Draft]) -> list[Outcome]:
        outcomes = await self._if_agreed(drafts, _("Render and pay?"))
        if outcomes is None:
            raise LimitError(_("Stopped before paying."), charged=False)
        return outcomes

    async def _if_agreed(
        self, drafts: Sequence[Draft], question: str
    ) -> list[Outcome] | None:
        """Show the quote, ask on a terminal, elsewhere keep to the limits; render.

        Returns:
            What became of the drafts; None if a person said no.

        Raises:
            LimitError: Dearer than what is allowed, and nobody is there to ask.
        """
        options, plans, over = self.options, await self._quoted(drafts), None
        if total := sum(plan.quote.amount for plan in plans):
            over = await self._what_it_costs(plans, total)
            if over and not self._asks:
                raise over
            if over:
                say(f"⚠️ {over.message}", err)
            if self._asks and not console.ask(question):
                return None
        settings = without_limits(self.settings) if over else self.settings
        send, shown = options.send, err if options.as_json else out
        with console.log_lines(shown, numbered=len(drafts) > 1) as progress:
            outcomes = await render_drafts(
                self.account,
                settings,
                drafts,
                send=settings.telegram_auto_send if send is None else send,
                again=options.again,
                progress=progress,
            )
        console.show_outcomes(outcomes, as_json=options.as_json)
        return outcomes

    @property
    def _asks(self) -> bool:
        return console.on_terminal() and not self.options.yes

    async def _quoted(
        self, drafts: Sequence[Draft], most: int | None = None
    ) -> list[Proposal]:
        return await quote_all(
            self.account, drafts, self.settings, again=self.options.again, most=most
        )

    async def _what_it_costs(
        self, plans: Sequence[Proposal], total: float
    ) -> LimitError | None:
        """Show what is used and paid; return what it would pass of the limits."""
        _show_plans(plans)
        quote, limit = plans[0].quote, self.options.max_cost
        text = ngettext(
            "{count} video, about {seconds:.0f} s: {amount}",
            "{count} videos, about {seconds:.0f} s: {amount}",
            len(plans),
            seconds=sum(plan.quote.seconds for plan in plans),
            amount=amount_text(total, quote.currency),
        )
        source = _("(estimate, {source})").format(source=quote.source)
        say(f"💰 {text} {source}", err)
        if balance := await self.account.balance():
            line = _("Balance: {amount}").format(amount=amount_text(*balance))
            say(f"   {line}", err)
            if balance[0] < total and balance[1] == quote.currency:
                say(_("⚠️ The balance is not enough for all of it."), err)
        if limit is None or total <= limit:
            return await over_limit(self.account, plans, self.settings)
        return LimitError(
            _("{quote} is more than --max-cost {limit:.2f}."),
            hint=_("Nothing was sent. Raise the limit or shorten the scripts."),
            charged=False,
            quote=f"{text} {source}",
            limit=limit,
        )


def _show_plans(plans: Sequence[Proposal]) -> None:
    for plan in plans[:_SHOWN]:
        voice = _("Voice: {voice}").format(voice=plan.voice)
        avatar = _("avatar: {avatar}").format(avatar=plan.avatar or "-")
        length = _("about {seconds:.0f} s ({low:.0f}–{high:.0f})").format(
            seconds=plan.length.seconds, low=plan.length.low_s, high=plan.length.high_s
        )
        say(f"#{plan.draft.id} {voice} · {avatar} · {length}", err)
        for warning in plan.warnings:
            say(f"⚠️ {warning}", err)
        if prices := plan.prices:
            say(f"   {prices}", err)
    if more := len(plans[_SHOWN:]):
        say(ngettext("… and {count} more", "… and {count} more", more), err)


def run_finish(options: cli.FinishOptions) -> None:
    """Finish the newest film of each draft anew, and say what is odd about it."""
    settings = load_settings()

    async def finish(account: Account) -> None:
        for draft_id in options.drafts:
            film = await asyncio.to_thread(_newest, account, draft_id.lstrip("#"))
            video = await finish_video(
                film,
                captions=options.captions,
                aspect_ratio=options.aspect_ratio,
                loudness=options.loudness,
                settings=settings,
            )
            say(f"✅ #{video.draft_id} {video.path}")
            for found in await check_video(video, settings=settings):
                say(f"⚠️ {finding_text(found.kind, found.second)}")

    console.with_account(settings, finish)


def _newest(account: Account, draft_id: str) -> Video:
    backend = account.payer.backend
    for row in chain.from_iterable(account.ledger.history.pages()):
        if (row.draft_id, row.backend, row.state) == (draft_id, backend, "downloaded"):
            return Video(
                video_id=row.video_id or "",
                status="completed",
                backend=backend,
                render_id=row.id,
            )
    hint = _("Render it first; heygen-nb history shows what there is.")
    raise DraftError(_("There is no film of draft #{id}."), hint=hint, id=draft_id)
