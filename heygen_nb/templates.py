"""Templates: Jinja in a sandbox, its mistakes told with file and line.

What stands in a table or was typed is only ever a value: it is never compiled, so
code in it stays text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import (
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
    meta,
    nodes,
)
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2.runtime import Context

MAX_TEMPLATE_CHARS = 100_000
MAX_TEXT_CHARS = 20_000  # of what comes out; a script has at most 5,000


class EmptyValueError(DraftError):
    """A value without content would leave a hole in the text.

    Attributes:
        name: The value's.
    """

    def __init__(self, message: str, *, hint: str, name: str) -> None:
        super().__init__(message, hint=hint)
        self.name = name


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


class _Environment(ImmutableSandboxedEnvironment):
    """Multiplies numbers only: ``"x" * 10 ** 10`` would take all memory."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not all(
            isinstance(x, int | float) for x in (left, right)
        ):
            raise SecurityError(_("a text cannot be multiplied"))
        return super().call_binop(context, operator, left, right)


class Template:
    """A text with placeholders such as ``{{ name }}``.

    Args:
        source: The text.
        where: Its name in messages, mostly the file's.
        line: Of the file at which the text begins.
        functions: What it may call besides Jinja's own filters.

    Raises:
        DraftError: It is no valid template, or much too long.

    Attributes:
        names: The values that it wants.
        lines: The line of the file where each of them is first written.
    """

    def __init__(
        self,
        source: str,
        *,
        where: str,
        line: int = 1,
        functions: Mapping[str, Callable[..., object]] | None = None,
    ) -> None:
        self._where = where
        self._first_line = line
        if len(source) > MAX_TEMPLATE_CHARS:
            raise DraftError(
                _("{where}: the template has more than {limit} characters.").format(
                    where=where, limit=MAX_TEMPLATE_CHARS
                )
            )
        environment = _Environment(
            undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
        )
        environment.globals.clear()  # no range(), no lipsum(): a text needs neither
        environment.globals.update(functions or {})
        try:
            tree = environment.parse(source)
            self._template = environment.from_string(source)
        except TemplateSyntaxError as exc:
            raise self._wrong(exc.message or "", exc.lineno) from None
        except RecursionError:
            raise self._wrong(_("brackets are nested too deeply"), None) from None
        self.names = frozenset(
            meta.find_undeclared_variables(tree) - environment.globals.keys()
        )
        self.lines = {
            node.name: line + node.lineno - 1
            for node in sorted(tree.find_all(nodes.Name), key=lambda n: -n.lineno)
            if node.name in self.names
        }

    def render(self, values: Mapping[str, Any]) -> str:
        """Put values into the text.

        Raises:
            EmptyValueError: An :class:`Empty` value would be put in.
            DraftError: A value is missing, the template does what it may not, or
                the text gets much too long.
        """
        parts, size = [], 0
        try:
            for part in self._template.generate(values):
                parts.append(part)
                size += len(part)
                if size > MAX_TEXT_CHARS:
                    raise DraftError(
                        _("{where}: the text gets longer than {limit} signs.").format(
                            where=self._where, limit=MAX_TEXT_CHARS
                        ),
                        hint=_(
                            "A script has at most 5,000 signs: shorten the template."
                        ),
                    )
        except _EmptyError as exc:
            raise self._hole(exc.message or "") from None
        except TemplateError as exc:  # a missing value, or a forbidden one
            raise self._wrong(exc.message or "", None) from None
        except (TypeError, ValueError, ArithmeticError, LookupError) as exc:
            raise self._wrong(str(exc), None) from None
        return "".join(parts)

    def _hole(self, name: str) -> EmptyValueError:
        where = _("{file}, line {line}").format(
            file=self._where, line=self.lines.get(name, self._first_line)
        )
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
            where = _("{file}, line {line}").format(
                file=where, line=self._first_line + line - 1
            )
        return DraftError(
            _("{where}: {problem}.").format(where=where, problem=problem.rstrip(".")),
            hint=_("Placeholders look like {{ name }}: correct that one."),
        )
