"""How numbers, money, dates, units and short forms are said in English and Russian.

Two well-kept normalisers without dependencies do the work: ``normt2s`` for English and
``rutextnorm`` for Russian. What they read wrongly is put into a form they read rightly
before; the lengths of scripts and the preview's voice both count these words.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import yaml

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

URL = re.compile(r"https?://[^\s<>]+|\bwww\.[^\s<>]+")
TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_BREAK = re.compile(
    r"""<break\b(?:[^<>]*?time\s*=\s*["']?(\d+(?:\.\d+)?)(m?s))?[^<>]*>""",
    re.IGNORECASE,
)
_BLANK = re.compile("[\u00a0\u2009\u202f]")
# Without one of these a text is said as it is written.
_WRITTEN = re.compile(r"[\d$€£¢₽№%&+=°²³½¼¾]|\b[IVXLC]+\b|\b\w{1,6}\.", re.IGNORECASE)
# not behind "Mr." and "т. д.": what stands before a name stays with it
_SENTENCE = re.compile(r"((?<=\w{4}[.!?…])\s+|\n\s*)")
_DIGITS = "zero one two three four five six seven eight nine"
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_DATA = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
_GRAM = "грамм грамма граммов"
_WORDS: dict[str, list[str]] = _DATA["words"]
_MONTHS = _WORDS["months"]  # not calendar's, which follow the machine's language


def breaks(script: str) -> Iterator[tuple[re.Match[str], float]]:
    """Yield each ``<break time="1s"/>`` of a script and its seconds."""
    for tag in _BREAK.finditer(script):
        unit = (tag[2] or "s").lower()
        yield tag, float(tag[1] or 0.5) / (1000 if unit == "ms" else 1)


def spoken(text: str, language: str) -> str:
    """Return what is said for a text in ``en`` or ``ru``; others stay as they are."""
    if language not in _RULES or not _WRITTEN.search(text):
        return text
    return "".join(_read(part, language) for part in _SENTENCE.split(text))


@lru_cache(maxsize=4096)  # a writer measures the same sentences again and again
def _read(sentence: str, language: str) -> str:
    body = _BLANK.sub(" ", sentence.strip())
    if not _WRITTEN.search(body):
        return sentence
    for pattern, form in _RULES[language]:
        body = pattern.sub(form, body)
    return sentence.replace(sentence.strip(), _normalized(body, language), 1)


def _normalized(text: str, language: str) -> str:
    if language == "en":
        from normt2s import normalize  # noqa: PLC0415 - 0.2 s, for texts with figures

        return str(normalize(text))
    import rutextnorm  # noqa: PLC0415 - only for texts with figures

    for step in _DATA["steps"]:
        text = getattr(rutextnorm, step)(text)
    text = re.sub(r"\b([Зз]а|[Чч]ерез) тысяча\b", r"\1 тысячу", text)
    return re.sub(r"(?<!\.)\.? \.(?!\.)", ".", text)


def _counted(amount: str, forms: str) -> str:
    """Return the form of a Russian noun after a number."""
    from babel import Locale  # noqa: PLC0415 - 50 ms, for texts with figures

    one, few, many = forms.split()
    number = float(re.sub(r"\s", "", amount).replace(",", "."))
    form = Locale("ru").plural_form(number)
    return {"one": one, "many": many}.get(form, few)


def _roman(numeral: str) -> int:
    values = [_ROMAN[sign] for sign in numeral.upper()]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < after else value for value, after in pairs)


def _english_sum(match: re.Match[str]) -> str:
    """Say ``$2.5M`` and ``$1.2 billion``: the currency comes last."""
    size = _DATA["sizes"][match["size"][0].lower()][0]
    coin = _DATA["coins"].get(match["coin"], [""])[0]
    return f"{match['amount']} {size} {coin}".rstrip()


def _russian_sum(match: re.Match[str]) -> str:
    """Say ``1 299,99 ₽``, ``$2.5M`` and ``40 тыс.``."""
    amount, coin, size = match["amount"].strip(), match["coin"], match["size"]
    coins, known = _DATA["coins"], _DATA["sizes"]
    _word, forms, cents = coins.get(coin) or coins["₽"]
    if size:
        key, many = size.lower().rstrip("."), forms.split()[2] if coin else ""
        if key == "тыс" and amount.isdigit():
            return f"{amount}000 {many}".rstrip()
        sizes = known.get(key) or known[key[0]]
        return f"{_half(amount)} {_counted(amount, sizes[1])} {many}".rstrip()
    whole, _comma, rest = re.sub(r"\s", "", amount).replace(".", ",").partition(",")
    text = f"{whole} {_counted(whole, forms)}"
    if not rest:
        return text
    return f"{text} {int(rest.ljust(2, '0'))} {_counted(rest.ljust(2, '0'), cents)}"


def _phone(match: re.Match[str]) -> str:
    said = ["plus "] if match[0].startswith("+") else []
    for group in re.findall(r"\d+", match[0]):
        digits = " ".join(_DIGITS.split()[int(digit)] for digit in group)
        said += ["eight hundred" if group == "800" else digits, ", "]
    return "".join(said[:-1])


def _half(amount: str) -> str:
    """Say a Russian number that ends in a half as people do."""
    whole, _comma, rest = amount.replace(".", ",").partition(",")
    if rest != "5" or whole == "0":
        return f"{whole},{rest}" if rest else whole
    return "полтора" if whole == "1" else f"{whole} с половиной"


def _genitive(match: re.Match[str]) -> str:
    return f"{match[1]} " + _normalized(f"до {match[2]}", "ru").removeprefix("до ")


def _ordinal(number: str, ending: str, soft: str) -> str:
    """Return such as “пятое” or “девятым”, by its ending behind hard and soft stems."""
    said = _normalized(f"{number}-го", "ru")  # a genitive: “пятого”
    return said[:-3] + (soft if said.endswith("ьего") else ending)


def _with_one(match: re.Match[str]) -> str:
    tens = _normalized(f"с {match[2]}0 друзьями", "ru").split()[1]
    one = "одним" if match[3].endswith("м") else "одной"
    return f"{match[1]} {tens} {one} "


def _half_of(match: re.Match[str]) -> str:
    few = match[2] == "%" and match[1] in ("0", "1")
    unit = "процента" if few else _DATA["half"][match[2]]
    return f"{_half(match[1] + ',5')} {unit}".rstrip()


def _regnal(match: re.Match[str]) -> str:
    number = _roman(match[2])
    return f"{match[1]} the {number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }"


def _place(match: re.Match[str]) -> str:
    where = match[1] or ""
    return f"{where}{_DATA['places'][match[2]][bool(where)]} "


_SAYINGS: dict[str, Callable[[re.Match[str]], str]] = {
    "american_date": lambda m: f"{_MONTHS[int(m[1]) - 1]} {int(m[2])}, {m[3]}",
    "cardinal": lambda m: _normalized(m[1], "ru"),
    "century": lambda m: f"{_roman(m[1])}-{_DATA['century'].get(m[2], 'й')} ",
    "date": lambda m: (
        f"{int(m['day'])} {_WORDS['месяцы'][int(m['month']) - 1]} {m['year']} года"
    ),
    "decade": lambda m: _normalized(m[1], "en").removesuffix("y") + "ies",
    "dates": lambda m: f"{m[1]} {m[2]}-го по {_ordinal(m[3], 'ое', 'е')} ",
    "english_sum": _english_sum,
    "feminine": lambda m: f"{_roman(m[1])}-я",
    "genitive": _genitive,
    "gram": lambda m: f"{m[1]} {_counted(m[1], _GRAM)}",
    "half": _half_of,
    "instrumental": lambda m: f"{m[1]} {_ordinal(m[2], 'ым', 'им')} ",
    "masculine": lambda m: f"{_roman(m[1])}-й",
    "month": lambda m: next(x for x in _MONTHS if x.startswith(m[1])) + " ",
    "neuter": lambda m: f"{_ordinal(m[1], 'ое', 'е')} ",
    "part": lambda m: f"{m[1]} {_roman(m[2])}",
    "phone": _phone,
    "pieces": lambda m: f"{m[1]} {_counted(m[1], 'штука штуки штук')}",
    "place": _place,
    "regnal": _regnal,
    "russian_sum": _russian_sum,
    "sum_before_noun": lambda m: f"{m[1]} {_english_sum(m)} dollar",
    "times": lambda m: f"{m[1]} {_half(m[2])} {_counted(m[2], 'раз раза раз')}",
    "with_one": _with_one,
    "year": lambda m: m[0] if m[1] else f"20 {m[2]}",
}


def _rule(pattern: str, said: str) -> Rule:
    for name, words in _WORDS.items():
        pattern = pattern.replace(f"<{name}>", "|".join(words))
    return re.compile(pattern), _SAYINGS.get(said.removeprefix("="), said)


_RULES: dict[str, list[Rule]] = {
    language: [_rule(*rule) for rule in rules]
    for language, rules in _DATA["rules"].items()
}
