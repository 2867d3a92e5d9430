"""Templates: Jinja in a sandbox, its mistakes told with file and line.

What stands in a table or was typed is only ever a value: it is never compiled, so
code in it stays text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any, cast

from jinja2 import (
    Environment,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
    meta,
    nodes,
)
from jinja2.exceptions import SecurityError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

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


class _EmptyError(UndefinedError):
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
    *(TemplateError, AttributeError, TypeError, ValueError),
    *(ArithmeticError, LookupError),
)
_GROWING = ("replace", "join")  # the second text may stand at each sign of the first
_JINJAS = Environment | Context | EvalContext
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
            finalize=self._sized,
        )
        self.globals.clear()  # no range(), no lipsum(): a text needs neither
        self.work = 0
        for name, function in self.filters.items():
            self.filters[name] = self._bounded(name, function)
        self.filters["turns"] = self._turns

    def bound(self, tree: nodes.Template) -> nodes.Template:
        """Return the tree with loops, sets and ``~`` counted like filters.

        Raises:
            TemplateSyntaxError: It has a statement that is not allowed.
        """
        for node in tree.find_all(_FORBIDDEN):
            raise _forbidden(type(node).__name__.lower(), node.lineno)
        for loop in list(tree.find_all(nodes.For)):
            if loop.recursive:
                raise _forbidden("recursive", loop.lineno)
            loop.iter = _filter(loop.iter, "turns")
        for block in tree.find_all(nodes.AssignBlock):
            block.filter = block.filter or _filter(None, "string")
        _Joining().visit(tree)
        # {% set a = [a, a] %}, thirty times: more than fits into a computer
        targets = [node.target for node in tree.find_all(nodes.Assign)]
        named = {n.name for n in targets if isinstance(n, nodes.Name)}
        for node in tree.find_all((nodes.List, nodes.Tuple, nodes.Dict)):
            if any(inner.name in named for inner in node.find_all(nodes.Name)):
                problem = _("a list of what was set before is not allowed")
                raise TemplateSyntaxError(problem, node.lineno)
        return tree

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "**" or (operator in "*%" and not numbers):
            raise SecurityError(_("a text cannot be multiplied"))
        self._spend(left, right)
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, function: Any, *args: Any, **kwargs: Any) -> Any:
        method = getattr(function, "__wrapped__", function)  # str.format is wrapped
        owner = getattr(method, "__self__", "")
        name = getattr(function, "__name__", "")
        self._check(name, (owner, *args, *kwargs.values()))
        return self._sized(super().call(context, function, *args, **kwargs))

    def _bounded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            self._check(name, (*args, *kwargs.values()))
            return self._sized(function(*args, **kwargs))

        return run

    def _turns(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self._spend(value)
            yield value

    def _check(self, name: str, values: Iterable[Any]) -> None:
        # the first one is what it is about, the others how: a width, a count
        data = [v for v in values if not isinstance(v, _JINJAS)]
        self._spend(*data)
        is_wide = any(isinstance(v, int) and abs(v) > MAX_TEXT_CHARS for v in data[1:])
        formats = [str(v) for v in data[:1] if name.startswith("format")]
        sizes = sorted(map(_size, data)) if name in _GROWING else []
        is_wide = is_wide or any(map(_WIDTH.search, formats))
        if is_wide or math.prod(sizes[-2:]) > MAX_WORK:
            raise SecurityError(_too_much())

    def _sized(self, value: Any) -> Any:
        if _size(value) > MAX_TEXT_CHARS:
            raise SecurityError(_too_much())
        return value

    def _spend(self, *values: Any) -> None:
        self.work += 1 + sum(map(_size, values))
        if self.work > MAX_WORK:
            raise SecurityError(_too_much())


class _Joining(NodeTransformer):
    """Makes ``a ~ b`` a filter, so that its size is bounded like any other."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802 - Jinja's
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "join")


def _forbidden(name: str, line: int) -> TemplateSyntaxError:
    return TemplateSyntaxError(_("“{name}” is not allowed").format(name=name), line)


def _filter(node: nodes.Node | None, name: str) -> nodes.Filter:
    lineno = node.lineno if node else 0
    return nodes.Filter(
        cast("nodes.Expr", node), name, [], [], None, None, lineno=lineno
    )


def _size(value: Any) -> int:
    """Return how many signs and items there are, as far as it matters."""
    count, waiting = 0, [value]
    while waiting and count <= MAX_TEXT_CHARS:
        item = waiting.pop()
        count += len(item) if isinstance(item, str) else 1
        if isinstance(item, list | tuple | set | frozenset | dict):
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return count


def _too_much() -> str:
    return _("it makes too long a text, or takes too many steps")


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
            raise DraftError(
                _("{where}: the template has more than {limit} characters.").format(
                    where=where, limit=MAX_TEMPLATE_CHARS
                )
            )
        self._environment = _Environment()
        try:
            tree = self._environment.parse(source)
            names = meta.find_undeclared_variables(tree)
            places = [(n.lineno, n.name) for n in tree.find_all(nodes.Name)]
            tree = self._environment.bound(tree)
            self._template = self._environment.from_string(tree)
        except TemplateSyntaxError as exc:
            raise self._wrong(exc.message or "", exc.lineno) from None
        except RecursionError:
            raise self._wrong(_("brackets are nested too deeply"), None) from None
        self.names = frozenset(names)
        self.lines = {
            name: line + number - 1
            for number, name in sorted(places, reverse=True)
            if name in names
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
                text += part
                if len(text) > MAX_TEXT_CHARS:
                    problem = _("{where}: the text gets longer than {limit} signs.")
                    raise DraftError(
                        problem.format(where=self._where, limit=MAX_TEXT_CHARS),
                        hint=_(
                            "A script has at most 5,000 signs: shorten the template."
                        ),
                    )
        except _EmptyError as exc:
            raise self._hole(exc.message or "") from None
        except (RecursionError, MemoryError):
            raise self._wrong(_too_much(), None) from None
        except _MISTAKES as exc:
            raise self._wrong(str(exc), None) from None
        return text

    def _hole(self, name: str) -> EmptyValueError:
        where = at_line(self._where, self.lines.get(name, self._first_line))
        return EmptyValueError(
            _("“{name}” is empty, and {where} needs it").format(name=name, where=where),
            hint=_("Fill it, or write {example} in the template.").format(
                example="{% if " + name + " %} … {% endif %}"
            ),
            name=name,
        )

    def _wrong(self, problem: str, line: int | None) -> DraftError:
        where = self._where
        if line:
            where = at_line(where, self._first_line + line - 1)
        return DraftError(
            _("{where}: {problem}.").format(where=where, problem=problem.rstrip(".")),
            hint=_("Placeholders look like {{ name }}: correct that one."),
        )
