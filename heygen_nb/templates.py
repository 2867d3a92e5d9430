"""Templates: Jinja in a sandbox, its mistakes told with file and line.

What stands in a table or was typed is only ever a value: it is never compiled, so
code in it stays text.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, cast

from jinja2 import Environment, StrictUndefined, Undefined, exceptions, meta, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from heygen_nb.errors import DraftError
from heygen_nb.i18n import at_line, gettext as _

MAX_TEMPLATE_CHARS = 100_000
MAX_WORK = 500_000  # signs and items handled; a second or two at most
MAX_TEXT_CHARS = 20_000  # of what comes out; a script has at most 5,000


class EmptyValueError(DraftError):
    """A value without content would leave a hole in the text.

    Attributes:
        name: The value's.
    """

    name: str = ""


class _EmptyError(exceptions.UndefinedError):
    """Jinja's way to tell of an :class:`Empty` value; the message is its name."""


class Empty(Undefined):
    """A value without content: it may be asked about, but not put into the text.

    So ``{% if company %}``, ``{{ company or "you" }}`` and
    ``{{ company | default("you") }}`` work, and ``{{ company }}`` is an error.
    """

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(hint=name, name=name, exc=_EmptyError)

    def __str__(self) -> str:
        raise _EmptyError(self._undefined_name)

    def __eq__(self, other: object) -> bool:
        return other == ""

    def __hash__(self) -> int:
        return hash("")


_FORBIDDEN: tuple[type[nodes.Node], ...] = (
    *(nodes.Macro, nodes.CallBlock, nodes.Block, nodes.ImportedName),
    *(nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport),
)
_MISTAKES = (  # a missing value, a forbidden one, or one of another kind
    *(exceptions.TemplateError, AttributeError, TypeError, ValueError),
    *(ArithmeticError, LookupError),
)
_GROWING = ("replace", "join")  # the second text may stand at each sign of the first
_JINJAS = (Environment, Context, nodes.EvalContext)  # what a filter may ask for
_WIDTH = re.compile(r"[%{][^%{}]*(?:\d{4}|\*)")  # of a formatted value


class _Environment(ImmutableSandboxedEnvironment):
    """Bounds what a template may do: each piece of work has its size, all have a sum.

    Filters, methods and the turns of loops are counted. What could multiply a text
    or call itself is not allowed at all.
    """

    intercepted_binops = frozenset(("*", "**", "%", "+"))

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
            finalize=_sized,
        )
        self.globals.clear()  # no range(), no lipsum(): a text needs neither
        self.work = 0
        for name, function in self.filters.items():
            self.filters[name] = self._bounded(name, function)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "**" or (operator in "*%" and not numbers):
            raise exceptions.SecurityError(_("a text cannot be multiplied"))
        self._spend(left, right)
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, function: Any, *args: Any, **kwargs: Any) -> Any:
        method = getattr(function, "__wrapped__", function)  # str.format is wrapped
        owner = getattr(method, "__self__", "")
        self._check(getattr(function, "__name__", ""), (owner, *args, *kwargs.values()))
        return _sized(super().call(context, function, *args, **kwargs))

    def _bounded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            self._check(name, (*args, *kwargs.values()))
            return _sized(function(*args, **kwargs))

        return run

    def _check(self, name: str, values: Iterable[Any]) -> None:
        # the first one is what it is about, the others how: a width, a count
        data = [v for v in values if not isinstance(v, _JINJAS)]
        self._spend(*data)
        sizes = sorted(map(_size, data))[-2:] if name in _GROWING else []
        if (
            any(isinstance(v, int) and abs(v) > MAX_TEXT_CHARS for v in data[1:])
            or (data and name.startswith("format") and _WIDTH.search(str(data[0])))
            or math.prod(sizes) > MAX_WORK
        ):
            raise _too_much()

    def _spend(self, *values: Any) -> None:
        self.work += 1 + sum(map(_size, values))
        if self.work > MAX_WORK:
            raise _too_much()


def _bound(tree: nodes.Template) -> nodes.Template:
    """Return the tree with loops, sets and ``~`` counted like filters.

    Raises:
        TemplateSyntaxError: It has a statement that is not allowed.
    """
    loops = [*tree.find_all(nodes.For)]
    endless = [loop for loop in loops if loop.recursive]
    for refused in (*tree.find_all(_FORBIDDEN), *endless):
        name = "recursive" if refused in endless else type(refused).__name__.lower()
        problem = _("“{name}” is not allowed").format(name=name)
        raise exceptions.TemplateSyntaxError(problem, refused.lineno)
    for loop in loops:
        loop.iter = _filter(loop.iter, "list")
    for block in tree.find_all(nodes.AssignBlock):
        block.filter = block.filter or _filter(None, "string")
    for chain in [*tree.find_all(nodes.Concat)]:
        chain.nodes = [_filter(nodes.List(chain.nodes, lineno=chain.lineno), "join")]
    # {% set a = [a, a] %}, thirty times: more than fits into a computer
    targets = [node.target for node in tree.find_all(nodes.Assign)]
    named = {target.name for target in targets if isinstance(target, nodes.Name)}
    for node in tree.find_all((nodes.List, nodes.Tuple, nodes.Dict)):
        if any(inner.name in named for inner in node.find_all(nodes.Name)):
            problem = _("a list of what was set before is not allowed")
            raise exceptions.TemplateSyntaxError(problem, node.lineno)
    return tree


def _filter(node: nodes.Node | None, name: str) -> nodes.Filter:
    lineno, node = node.lineno if node else 0, cast("nodes.Expr", node)
    return nodes.Filter(node, name, [], [], None, None, lineno=lineno)


def _size(value: Any) -> int:
    """Return how many signs and items there are, as far as it matters."""
    count, waiting = 0, [value]
    while waiting and count <= MAX_TEXT_CHARS:
        item = waiting.pop()
        count += len(item) if isinstance(item, str) else 1
        if isinstance(item, list | tuple | set | frozenset | dict):
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return count


def _sized(value: Any) -> Any:
    if _size(value) > MAX_TEXT_CHARS:
        raise _too_much()
    return value


def _too_much() -> exceptions.SecurityError:
    problem = _("it makes more than {limit} signs of text, or takes too many steps")
    return exceptions.SecurityError(problem.format(limit=MAX_TEXT_CHARS))


class Template:
    """A text with placeholders such as ``{{ name }}``.

    Args:
        source: The text.
        where: Its name in messages, mostly the file's.
        line: Of the file at which the text begins.

    Raises:
        DraftError: It is no valid template, or much too long.

    Attributes:
        names: The values that it wants.
        lines: The line of the file where each of them is first written.
    """

    def __init__(self, source: str, *, where: str, line: int = 1) -> None:
        self._where = where
        self._first_line = line
        if len(source) > MAX_TEMPLATE_CHARS:
            problem = _("{where}: the template has more than {limit} characters.")
            raise DraftError(problem.format(where=where, limit=MAX_TEMPLATE_CHARS))
        self._environment = _Environment()
        try:
            tree = self._environment.parse(source)
            self.names = frozenset(meta.find_undeclared_variables(tree))
            places = [(n.lineno, n.name) for n in tree.find_all(nodes.Name)]
            self._template = self._environment.from_string(_bound(tree))
        except exceptions.TemplateSyntaxError as exc:
            raise self._wrong(exc.message or "", exc.lineno) from None
        except RecursionError:
            raise self._wrong(_("brackets are nested too deeply")) from None
        self.lines = {
            name: line + number - 1
            for number, name in sorted(places, reverse=True)
            if name in self.names
        }

    def render(self, values: Mapping[str, Any]) -> str:
        """Put values into the text.

        Raises:
            EmptyValueError: An :class:`Empty` value would be put in.
            DraftError: A value is missing, the template does what it may not, or
                the text gets much too long.
        """
        text = ""
        self._environment.work = 0
        try:
            for part in self._template.generate(values):
                text = _sized(text + part)
        except _EmptyError as exc:
            name = exc.message or ""
            where = at_line(self._where, self.lines.get(name, self._first_line))
            problem = _("“{name}” is empty, and {where} needs it")
            hint = _("Fill it, or write {example} in the template.")
            example = "{% if " + name + " %} … {% endif %}"
            problem = problem.format(name=name, where=where)
            hint = hint.format(example=example)
            raise EmptyValueError(problem, hint=hint, name=name) from None
        except (RecursionError, MemoryError):
            raise self._wrong(str(_too_much())) from None
        except _MISTAKES as exc:
            raise self._wrong(str(exc)) from None
        return text

    def _wrong(self, problem: str, line: int = 0) -> DraftError:
        at = at_line(self._where, self._first_line + line - 1) if line else self._where
        told = _("{where}: {problem}.").format(where=at, problem=problem.rstrip("."))
        hint = _("Placeholders look like {{ name }}: correct that one.")
        return DraftError(told, hint=hint)
