"""What all panels share: tasks on the kernel's loop, words, questions and errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import cache
from html import escape
from typing import Any, TypeVar

import ipywidgets as widgets

from heygen_nb.errors import HeygenNbError
from heygen_nb.i18n import gettext as _
from heygen_nb.ui.markup import failure_html, markup
from heygen_nb.ui.style import CSS
from heygen_nb.workflow.desk import Desk, shared_desk

log = logging.getLogger("heygen_nb.ui")

_Kind = TypeVar("_Kind", bound=widgets.DOMWidget)
Words = Callable[[], str]
Work = Callable[[], Coroutine[Any, Any, object]]


def make(kind: type[_Kind], css: str = "", **traits: Any) -> _Kind:
    """Make a widget that shares its layout and style with all others of its kind.

    One model a widget instead of three: the Studio opens faster, and CSS classes
    do what layouts would.
    """
    style = _style(kind.__name__)
    widget: _Kind = kind(layout=shared_layout(), **style, **traits)
    for name in css.split():
        widget.add_class(name)
    return widget


@cache
def shared_layout() -> widgets.Layout:
    """Return the one layout of all widgets."""
    return widgets.Layout()


@cache
def _style(kind: str) -> dict[str, Any]:
    sample = getattr(widgets, kind)(layout=shared_layout())
    sample.close()
    return {"style": sample.style} if sample.has_trait("style") else {}


def show(widget: widgets.DOMWidget, *, when: bool) -> None:
    """Show or hide a widget."""
    (widget.remove_class if when else widget.add_class)("hg-off")


class Panel(widgets.VBox):
    """A part of the Studio that also works alone in a cell.

    A subclass makes its widgets in ``_build``, reacts in ``_heard`` and brings the
    first content in ``_begin``. Handlers only call :meth:`spawn`.

    Args:
        desk: What it works on; by default the one that all panels of this kernel
            share.
    """

    children: tuple[widgets.Widget, ...]

    def __init__(self, desk: Desk | None = None) -> None:
        # Newer kernels may call handlers in another thread: the loop of the cell
        # is taken once, here.
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._words: list[tuple[widgets.Widget, str, Callable[[], object]]] = []
        self._closed = self._built = False
        self.desk = desk or shared_desk()
        self._question: Question | None = None
        self._notice: widgets.HTML | None = None
        body = self._build()
        style = () if desk else (make(widgets.HTML, value=_STYLE),)
        super().__init__((*style, *body), layout=shared_layout())
        self.add_class("hg")
        self.desk.listen(self._on_news)
        self.relabel()
        self._built = True
        self.spawn(self._begin)

    def _build(self) -> tuple[widgets.Widget, ...]:
        raise NotImplementedError

    async def _begin(self) -> None:
        """Bring the first content, once the panel is on its way to the screen."""

    def _heard(self, topic: str) -> None:
        """Show what has changed; see :meth:`Desk.listen` for the topics."""

    # Tasks

    def spawn(self, work: Work) -> None:
        """Start work on the captured loop; what it raises is shown in the panel."""
        self._loop.call_soon_threadsafe(self._start, work)

    def _start(self, work: Work) -> None:
        if not self._closed:
            task = self._loop.create_task(self._guard(work))
            self._tasks.add(task)  # the loop itself only holds tasks weakly
            task.add_done_callback(self._tasks.discard)

    async def _guard(self, work: Work) -> None:
        try:
            await work()
        except HeygenNbError as error:
            self.tell_error(error)
        except Exception as error:
            log.exception("%s", type(self).__name__)
            self.tell(
                _("Something unexpected happened: {error}. See {file}.").format(
                    error=f"{type(error).__name__}: {error}",
                    file=self.desk.settings.log_path.name,
                ),
                "bad",
            )

    async def idle(self) -> None:
        """Wait until nothing is left to do."""
        await asyncio.sleep(0)
        while others := self._tasks - {asyncio.current_task()}:
            await asyncio.wait(others)

    def _on_news(self, topic: str) -> None:
        if topic == "language":
            self.relabel()
        self._heard(topic)

    def close(self) -> None:
        """Cancel what runs and let go of the desk; renders go on."""
        if not self._closed:
            self._closed = True
            self.desk.leave(self._on_news)
            for task in self._tasks:
                task.cancel()
        super().close()

    # Words

    def say(self, widget: _Kind, trait: str, words: Callable[[], object]) -> _Kind:
        """Give a trait words that follow the language."""
        self._words.append((widget, trait, words))
        if self._built:  # a part that is opened later
            setattr(widget, trait, words())
        return widget

    def relabel(self) -> None:
        """Put all words into the present language."""
        for widget, trait, words in self._words:
            setattr(widget, trait, words())

    def button(self, words: Words, work: Work, css: str = "") -> widgets.Button:
        """Make a button that starts work."""
        button = self.say(make(widgets.Button, css), "description", words)
        button.on_click(lambda _button: self.spawn(work))
        return button

    def field(
        self, kind: type[_Kind], words: Words, css: str = "", **traits: Any
    ) -> _Kind:
        """Make an input with its label above."""
        return self.say(make(kind, f"hg-field {css}", **traits), "description", words)

    def hint(self, words: Words, css: str = "hg-hint") -> widgets.HTML:
        """Make a line of small text."""
        return self.say(make(widgets.HTML), "value", lambda: markup(words(), css))

    def heading(self, words: Words) -> widgets.HTML:
        """Make the heading of a card."""
        return self.say(make(widgets.HTML), "value", lambda: markup(words(), tag="h3"))

    # Telling and asking

    def tell(self, text: str, css: str = "ok") -> None:
        """Show a message at the top of the panel."""
        self._show_notice(f'<div role="status" class="{css}">{escape(text)}</div>')

    def tell_error(self, error: HeygenNbError) -> None:
        """Show what is wrong, whether it was charged, and what to do next."""
        self._show_notice(failure_html(error.message, error.hint, error.charged))

    def hush(self) -> None:
        """Take the message away: what it was about is being done anew."""
        if self._notice is not None:
            self._notice.value = ""

    def _show_notice(self, html: str) -> None:
        if self._notice is None:
            self._notice = make(widgets.HTML, "hg-notice")
            self.children = (self._notice, *self.children)
        self._notice.value = html

    async def ask(self, text: str, yes: str, no: str = "") -> bool | None:
        """Ask a question in the panel; None when another one took its place."""
        if self._question is None:
            self._question = Question()
            self.children = (self._question, *self.children)
        return await self._question.ask(text, yes, no or _("Cancel"))


class Question(widgets.VBox):
    """A question with two buttons; hidden until something is asked."""

    def __init__(self) -> None:
        self._text = make(widgets.HTML)
        self._yes = make(widgets.Button, "hg-primary")
        self._no = make(widgets.Button)
        self._answer: asyncio.Future[bool | None] | None = None
        buttons = make(widgets.HBox, "hg-buttons", children=(self._yes, self._no))
        super().__init__((self._text, buttons), layout=shared_layout())
        self.add_class("hg-question")
        self._yes.on_click(lambda _button: self._settle(True))
        self._no.on_click(lambda _button: self._settle(False))
        show(self, when=False)

    async def ask(self, text: str, yes: str, no: str) -> bool | None:
        """Show a question; the last one then ends with None: nobody answered it."""
        self._settle(None)
        answer: asyncio.Future[bool | None]
        answer = self._answer = asyncio.get_running_loop().create_future()
        self._text.value = markup(text, "hg-ask", "div")
        self._yes.description, self._no.description = yes, no
        show(self, when=True)
        self._yes.focus()
        try:
            return await answer
        finally:
            if self._answer is answer:
                show(self, when=False)

    def _settle(self, answer: bool | None) -> None:  # noqa: FBT001 - it is the answer
        future = self._answer
        if future and not future.done():
            future.get_loop().call_soon_threadsafe(_answer, future, answer)


def _answer(future: asyncio.Future[bool | None], answer: bool | None) -> None:  # noqa: FBT001
    if not future.done():
        future.set_result(answer)


_STYLE = f"<style>{CSS}</style>"
