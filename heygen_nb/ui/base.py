"""What all panels share: tasks on the kernel's loop, words, questions and errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import ipywidgets as widgets
from IPython import display as ipython_display

from heygen_nb.errors import ArgumentError, HeygenNbError
from heygen_nb.i18n import again, gettext as _
from heygen_nb.ui.display import dead_html
from heygen_nb.ui.html import bar_html, failure_html, markup
from heygen_nb.ui.state import SharedState, shared_state

log = logging.getLogger("heygen_nb.ui")

_Kind = TypeVar("_Kind", bound=widgets.DOMWidget)
Options = tuple[tuple[str, Any], ...]
Words: TypeAlias = "str | Options | Callable[[], object]"
Work = Callable[[], Coroutine[Any, Any, object]]
Take = Callable[[str, bytes], Coroutine[Any, Any, object]]
Answer: TypeAlias = bool | str | None


def said(words: Words) -> Any:
    """Return words, or what can be chosen, in the language of now."""
    found: Any = words() if callable(words) else words
    if isinstance(found, tuple):
        return tuple((again(label), value) for label, value in found)
    return again(found)


def make(kind: type[_Kind], css: str = "", **traits: Any) -> _Kind:
    """Make a widget that shares its layout and style with all others of its kind.

    One model a widget instead of three: the Studio opens faster, and CSS classes
    do what layouts would.
    """
    classes, common = tuple(css.split()), _common(kind.__name__)
    widget: _Kind = kind(_dom_classes=classes, **common, **traits)
    return widget


@cache
def _common(kind: str) -> dict[str, Any]:
    """Return the layout, and the style, that all widgets of a kind share."""
    traits = getattr(widgets, kind).class_traits()
    names = traits.keys() & {"layout", "style"}
    return {name: _model(traits[name].klass) for name in names}


@cache
def _model(kind: type[widgets.Widget]) -> widgets.Widget:
    return kind()


def _looks() -> tuple[widgets.Widget, ...]:
    """Return what brings looks and keys to the page, once for each panel alone."""
    css, script = (
        Path(__file__).with_name(name).read_text("utf-8")
        for name in ("studio.css", "studio.js")
    )
    data = {"application/javascript": script, "text/plain": ""}
    bundle = {"output_type": "display_data", "data": data, "metadata": {}}
    keys = make(widgets.Output, "hg-script-only", outputs=(bundle,))
    return make(widgets.HTML, value=f"<style>{css}</style>"), keys


def row(*children: widgets.Widget, css: str = "hg-buttons") -> widgets.HBox:
    """Put widgets beside each other."""
    return make(widgets.HBox, css, children=children)


def column(*children: widgets.Widget, css: str = "") -> widgets.VBox:
    """Put widgets below each other."""
    return make(widgets.VBox, css, children=children)


def show(widget: widgets.DOMWidget, *, when: bool) -> None:
    """Show or hide a widget."""
    (widget.remove_class if when else widget.add_class)("hg-off")


def put(widget: widgets.Widget, heard_by: Callable[[Any], None], **traits: Any) -> None:
    """Set traits of an input; who hears its user does not hear of that."""
    widget.unobserve(heard_by, "value")
    for name, value in traits.items():
        setattr(widget, name, value)
    widget.observe(heard_by, "value")


def focus(widget: widgets.DOMWidget) -> None:
    """Let the next key go into a widget, where ipywidgets can (7 cannot)."""
    if hasattr(widget, "focus"):
        widget.focus()


def shown(widget: widgets.DOMWidget) -> bool:
    """Tell whether a widget is shown."""
    return "hg-off" not in widget._dom_classes  # noqa: SLF001 - it has no reader


class Part(widgets.VBox):
    """Widgets below each other that belong together."""

    children: tuple[widgets.Widget, ...]

    def __init__(self, *children: widgets.Widget, css: str = "") -> None:
        super().__init__(children, _dom_classes=tuple(css.split()), **_common("VBox"))


class Panel(Part):
    """A part of the Studio that also works alone in a cell.

    A subclass makes its widgets in ``_build``, reacts in ``_heard`` and brings the
    first content in ``_begin``. Handlers only call :meth:`spawn`.

    Args:
        shared: What it works on; by default what all panels of this kernel share.
    """

    hears: tuple[str, ...] = ()
    """The topics that :meth:`_heard` is told of."""

    _closed = True  # until it is opened

    def __init__(self, shared: SharedState | None = None) -> None:
        # Newer kernels may call handlers in another thread: the loop of the cell
        # is taken once, here.
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            raise ArgumentError(
                _("A panel is shown by a notebook."),
                hint=_("Let hg.Studio() be the last line of a cell."),
            ) from None
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[widgets.Button] = set()
        self._words: list[tuple[widgets.Widget, str, Words]] = []
        self._places: list[Place] = []
        self._closed = self._built = self._resting = False
        self._missed: set[str] = set()
        self.shared = shared or shared_state()
        self._question: Question | None = None
        body = self._build()
        looks = () if shared else _looks()
        super().__init__(*looks, *body, css="hg")
        self.shared.listen(self._on_news)
        self.relabel()
        self._built = True
        self.spawn(self._begin)

    def _build(self) -> tuple[widgets.Widget, ...]:
        raise NotImplementedError

    async def _begin(self) -> None:
        """Bring the first content, once the panel is on its way to the screen."""

    def _heard(self, topic: str) -> None:
        """Show what has changed; see :meth:`SharedState.listen` for the topics."""

    def _ipython_display_(self, **_options: object) -> None:
        """Show it, under words that are only seen when its kernel has gone."""
        display: Any = ipython_display.display
        display({"text/html": dead_html(), "text/plain": ""}, raw=True)
        if self._closed:
            return
        if hasattr(super(), "_ipython_display_"):  # ipywidgets 7
            super()._ipython_display_()
        else:
            display(self._repr_mimebundle_(), raw=True)

    # Tasks

    def spawn(self, work: Work, at: Place | None = None) -> None:
        """Start work on the captured loop.

        Args:
            work: What to do.
            at: Where it tells, asks, and shows what it raises; by default where the
                work that starts it does, else at the top.
        """
        self._loop.call_soon_threadsafe(self._start, work, at)

    def _start(self, work: Work, at: Place | None) -> None:
        if not self._closed:
            task = self._loop.create_task(self._guard(work, at))
            self._tasks.add(task)  # the loop itself only holds tasks weakly
            task.add_done_callback(self._tasks.discard)

    async def _guard(self, work: Work, at: Place | None) -> None:
        if at:
            _PLACE.set(at)
            at.clear()
        try:
            await work()
            if at:
                at.settle()
        except HeygenNbError as error:
            self.tell(error)
        except Exception as error:
            log.exception("%s", type(self).__name__)
            words = _("Something unexpected happened: {error}. See {file}.")
            found, file = f"{type(error).__name__}: {error}", self.shared.settings
            self.tell(words.format(error=found, file=file.log_path.name), "bad")

    async def idle(self) -> None:
        """Wait until nothing is left to do."""
        await asyncio.sleep(0)
        while others := self._tasks - {asyncio.current_task()}:
            await asyncio.wait(others)

    def _on_news(self, topic: str) -> None:
        if topic in ("language", "settings"):
            self.relabel()
        if topic in self.hears:
            if self._resting and topic in _CAN_WAIT:
                self._missed.add(topic)
            else:
                self._heard(topic)

    def rest(self, *, now: bool) -> None:
        """Leave news of drafts and renders for later, as long as nobody looks on."""
        self._resting = now
        while self._missed and not now:
            self._heard(self._missed.pop())

    def close(self) -> None:
        """Cancel what runs and let go of what is shared; renders go on."""
        if not self._closed:
            self._closed = True
            for task in self._tasks:
                task.cancel()
            self.shared.leave(self._on_news, *self._tasks)
        super().close()

    # Words

    def say(self, widget: _Kind, trait: str, words: Words) -> _Kind:
        """Give a trait words that follow the language; what is chosen stays chosen."""
        self._words.append((widget, trait, words))
        if self._built:  # a part that is opened later
            _word(widget, trait, words)
        return widget

    def relabel(self) -> None:
        """Put all words into the present language."""
        for widget, trait, words in self._words:
            _word(widget, trait, words)
        for place in self._places:
            place.relabel()

    def button(
        self, words: Words, work: Work, css: str = "", *, at: Place | None = None
    ) -> widgets.Button:
        """Make a button that starts work, once at a time; ``at`` as in :meth:`spawn`.

        It is not disabled meanwhile: the keyboard would lose its place.
        """
        button = self.say(make(widgets.Button, css), "description", words)

        async def alone() -> None:
            try:
                await work()
            finally:
                self._busy.discard(button)

        def start(_button: widgets.Button) -> None:
            if button not in self._busy:
                self._busy.add(button)
                self.spawn(alone, at)

        button.on_click(start)
        return button

    def field(
        self,
        kind: type[_Kind],
        words: Words,
        css: str = "",
        *,
        options: Any = None,
        on: Work | None = None,
        at: Place | None = None,
        **traits: Any,
    ) -> _Kind:
        """Make an input with its label above; a checkbox has it beside.

        Args:
            kind: Of ipywidgets.
            words: The label; its first line stands out, others are a hint.
            css: Classes.
            options: What can be chosen, or what gives it.
            on: Started after every change.
            at: As in :meth:`spawn`.
            **traits: Of the widget.
        """
        if kind is widgets.Checkbox:
            css, traits = f"{css} hg-check", {"indent": False, **traits}
        if options:
            traits["options"] = said(options)
        field = self.say(make(kind, f"hg-field {css}", **traits), "description", words)
        if options:
            self.say(field, "options", options)
        if on:
            field.observe(lambda _change: self.spawn(on, at), "value")
        return field

    def upload(
        self, words: Words, work: Take, accept: str, *, at: Place, **traits: Any
    ) -> widgets.FileUpload:
        """Make a button that brings files in; each is given with its name."""
        button = make(widgets.FileUpload, "hg-import", accept=accept, **traits)
        self.say(button, "description", words)
        self.say(button, "tooltip", words)

        async def take() -> None:
            files: Any = button.value
            if isinstance(files, dict):  # ipywidgets 7: what it has by name
                button.set_trait("value", {})
                files = [{"name": name, **file} for name, file in files.items()]
            else:
                button.value = ()
            for file in files:
                await work(file["name"], bytes(file["content"]))

        button.observe(lambda _change: self.spawn(take, at), "value")
        return button

    def hint(
        self, words: Words, css: str = "hg-hint", tag: str = "span"
    ) -> widgets.HTML:
        """Make a line of small text."""
        html = make(widgets.HTML)
        return self.say(html, "value", lambda: markup(said(words), css, tag))

    def heading(self, words: Words) -> widgets.HTML:
        """Make the heading of a card."""
        return self.hint(words, "", "h3")

    # Telling and asking

    def place(self) -> Place:
        """Make a place for messages: it stands under what they are about."""
        place = Place()
        self._places.append(place)
        return place

    def tell(self, words: Words | HeygenNbError, css: str = "ok") -> None:
        """Show a message or an error where the present work belongs, see :meth:`spawn`.

        Of an error it says what is wrong, whether it was charged, and what to do next;
        nothing takes the message away.
        """
        self._here.tell(words, css)

    def tell_busy(self, words: Words) -> None:
        """Show what is being done, until it is done or something else is told."""
        self._here.tell(words, _BUSY)

    @cached_property
    def _top(self) -> Place:
        """The place of what belongs to no field or button."""
        place = self.place()
        self.children = (place, *self.children)
        return place

    @property
    def _here(self) -> Place:
        place = _PLACE.get()
        return place if place in self._places else self._top

    @property
    def told(self) -> str:
        """All messages in sight, as HTML."""
        return "".join(place.html for place in self._places)

    @property
    def question(self) -> Question | None:
        """The question that waits for its answer."""
        return self._question if self._question and shown(self._question) else None

    async def ask(
        self, text: str, yes: str, no: str = "", others: Sequence[str] = ()
    ) -> Answer:
        """Ask a question in the panel.

        Args:
            text: What is asked.
            yes: Words of the button that agrees.
            no: Words of the one that does not.
            others: Words of more buttons, if there are other ways.

        Returns:
            The answer, for other ways their words; None when another question took
            this one's place.
        """
        question = self._question = self._question or Question()
        self._here.settle()
        for place in self._places:
            place.take(question if place is self._here else None)
        no = again(no) or _("Cancel")
        return await question.ask(again(text), again(yes), no, others)


class Actions(widgets.HBox):
    """Buttons in a row; each is made when it is offered for the first time.

    Args:
        panel: Whose row it is.
        works: The words and the work of each button, by its name.
        at: As in :meth:`Panel.spawn`.
        primary: The name of the one that stands out.
        more: Other widgets, after the buttons.
    """

    children: tuple[widgets.Widget, ...]

    def __init__(
        self,
        panel: Panel,
        works: Mapping[str, tuple[Words, Work]],
        *,
        at: Place | None = None,
        primary: str = "",
        more: tuple[widgets.Widget, ...] = (),
    ) -> None:
        super().__init__(more, _dom_classes=("hg-buttons",), **_common("HBox"))
        self._panel, self._works, self._at = panel, works, at
        self._primary, self._more, self._locked = primary, more, False
        self.made: dict[str, widgets.Button] = {}

    def __getitem__(self, name: str) -> widgets.Button:
        """Return a button by its name."""
        if name not in self.made:
            words, work = self._works[name]
            css = f"hg-act-{name.replace(' ', '-')}"  # studio.js finds it
            css += " hg-primary" if name == self._primary else ""
            button = self._panel.button(words, work, css, at=self._at)
            button.disabled = self._locked
            self.made[name] = button
        return self.made[name]

    def offer(self, *names: object) -> None:
        """Show these buttons only, in the order in which they were declared.

        What is no name is left out: ``there and "play"``. The words are said anew:
        they may have a number in them.
        """
        offered = [name for name in self._works if name in names]
        for name in offered:
            if callable(words := self._works[name][0]):
                self[name].description = words()
        self.children = (*(self[name] for name in offered), *self._more)
        show(self, when=bool(self.children))

    @property
    def offered(self) -> tuple[str, ...]:
        """The names of the buttons in sight."""
        return tuple(name for name, b in self.made.items() if b in self.children)

    def lock(self, *, now: bool) -> None:
        """Let nothing be pressed for a while."""
        self._locked = now
        for widget in (*self.made.values(), *self._more):
            widget.disabled = now


class Place(Part):
    """Where messages and questions about one thing stand; empty until there are."""

    def __init__(self) -> None:
        super().__init__(css="hg-place hg-off")
        self._message: widgets.HTML | None = None
        self._words: Words | HeygenNbError = ""
        self._css = ""

    def tell(self, words: Words | HeygenNbError, css: str = "ok") -> None:
        """Show a message or an error, in the language of now and of later."""
        self._words, self._css = words, css
        if words and not self._message:
            self._message = make(widgets.HTML, "hg-notice")
            self.children = (self._message, *self.children)
            show(self, when=True)
        self.relabel()

    def relabel(self) -> None:
        """Say the message again, in the present language."""
        words, html = self._words, ""
        if isinstance(words, HeygenNbError):
            html = failure_html(words)
        elif words:
            html = markup(said(words), self._css, "div", role="status")
            html = bar_html(None) + html if self._css == _BUSY else html
        if self._message:
            self._message.value = html

    def clear(self) -> None:
        """Take the message away."""
        self.tell("")

    def settle(self) -> None:
        """Take away what was being done."""
        if self._css == _BUSY:
            self.clear()

    def take(self, question: Question | None) -> None:
        """Give room to a question, or to none."""
        self.children = tuple(part for part in (self._message, question) if part)
        show(self, when=bool(self.children))

    @property
    def html(self) -> str:
        """The message in sight; empty when there is none."""
        return str(self._message.value) if self._message else ""


class Question(Part):
    """A question with its buttons; hidden until something is asked."""

    def __init__(self) -> None:
        self.text = make(widgets.HTML)
        self.yes, self.no = make(widgets.Button, "hg-primary"), make(widgets.Button)
        self._buttons = row()
        self._answer: asyncio.Future[Answer] | None = None
        super().__init__(self.text, self._buttons, css="hg-question hg-off")
        self.yes.on_click(partial(self._settle, True))
        self.no.on_click(partial(self._settle, False))

    async def ask(self, text: str, yes: str, no: str, others: Sequence[str]) -> Answer:
        """Show a question; the last one then ends with None: nobody answered it."""
        self._settle(None)
        answer: asyncio.Future[Answer]
        answer = self._answer = asyncio.get_running_loop().create_future()
        self.text.value = markup(text, "hg-ask", "div")
        self.yes.description, self.no.description = yes, no
        self.others = [make(widgets.Button, description=words) for words in others]
        for button in self.others:
            button.on_click(lambda pressed: self._settle(pressed.description))
        self._buttons.children = (self.yes, *self.others, self.no)
        show(self, when=True)
        focus(self.yes)
        try:
            return await answer
        finally:
            if self._answer is answer:
                show(self, when=False)

    def _settle(self, answer: Answer, _button: object = None) -> None:
        def settle() -> None:
            if future and not future.done():
                future.set_result(answer)

        if future := self._answer:
            future.get_loop().call_soon_threadsafe(settle)


def _word(widget: Any, trait: str, words: Words) -> None:
    new = said(words)
    if trait != "options":
        setattr(widget, trait, new)
    elif widget.options != tuple(new):
        chosen = widget.value
        widget.options = tuple(new)  # chooses the first one
        if chosen in (value for _label, value in new):
            widget.value = chosen


_BUSY = "hg-hint"
_CAN_WAIT = "drafts", "renders"
_PLACE: ContextVar[Place | None] = ContextVar("place", default=None)
"""Where the running work tells and asks."""
