"""How numbers, money, dates, units and short forms are said in English and Russian.

Two well-kept normalisers without dependencies do the work: ``normt2s`` for English and
``rutextnorm`` for Russian. What they read wrongly is put into a form they read rightly
before; the lengths of scripts and the preview's voice both count these words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

URL = re.compile(r"https?://[^\s<>]+|\bwww\.[^\s<>]+")
_BLANK = re.compile("[\u00a0\u2009\u202f]")
# Without one of these a text is said as it is written.
_WRITTEN = re.compile(r"[\d$€£¢₽№%&+=°²³½¼¾]|\b[IVXLC]+\b|\b\w{1,6}\.", re.IGNORECASE)
# not behind "Mr." and "т. д.": what stands before a name stays with it
_SENTENCE = re.compile(r"((?<=\w{4}[.!?…])\s+|\n\s*)")
# rutextnorm's, without its respelling of Latin words and of what stays as it is
_RUSSIAN_STEPS = """
    normalize_abbreviations normalize_sections normalize_number_groups normalize_ranges
    normalize_dates normalize_case_context normalize_ordinal_triggers
    normalize_compounds normalize_ordinals normalize_time normalize_scores
    normalize_fractions normalize_percent normalize_symbol_currency
    normalize_multipliers normalize_measurements normalize_symbols normalize_math
    normalize_decimals currency_normalization normalize_text_with_phone_numbers
    normalize_versions normalize_negatives normalize_text_with_numbers
"""
_DIGITS = "zero one two three four five six seven eight nine"
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_KINGS = (
    "Alexander Benedict Catherine Charles Edward Elizabeth Francis Frederick George"
    " Gregory Henry James John Leo Louis Mary Napoleon Nicholas Paul Peter Philip Pius"
    " Ramses Richard William"
).replace(" ", "|")
_PARTS = (
    "War Part Chapter Volume Act Scene Phase Type Section Level Bowl Article Book"
    " Episode Class Title Stage Season Version Mark Rocky"
).replace(" ", "|")
_COINS = {
    "$": ("dollars", "доллар доллара долларов", "цент цента центов"),
    "€": ("euros", "евро евро евро", "цент цента центов"),
    "£": ("pounds", "фунт фунта фунтов", "пенс пенса пенсов"),
    "₽": ("rubles", "рубль рубля рублей", "копейка копейки копеек"),
}
_SIZES = {  # by the first letters, in either language
    "k": ("thousand", "тысяча тысячи тысяч"),
    "т": ("thousand", "тысяча тысячи тысяч"),
    "m": ("million", "миллион миллиона миллионов"),
    "млн": ("million", "миллион миллиона миллионов"),
    "b": ("billion", "миллиард миллиарда миллиардов"),
    "млрд": ("billion", "миллиард миллиарда миллиардов"),
    "t": ("trillion", "триллион триллиона триллионов"),
}
_CENTURY = {"веке": "м", "века": "го", "веку": "му", "веком": "м", "веках": "х"}
_PLACES = {
    "ул": ("улица", "улице"),
    "пр": ("проспект", "проспекте"),
    "пл": ("площадь", "площади"),
    "г": ("город", "городе"),
}
_SHARES = {
    "2/3": "две трети",
    "1/2": "половина",
    "1/3": "треть",
    "1/4": "четверть",
    "3/4": "три четверти",
}
_GRAM = "грамм грамма граммов"
_MONTHS = "январ|феврал|март|апрел|ма[яй]|июн|июл|август|сентябр|октябр|ноябр|декабр"
_ENGLISH_MONTHS = (  # not calendar's: those follow the machine's language
    "January February March April May June July August September October November"
    " December"
).replace(" ", "|")
_VULGAR = {"½": "1/2", "¼": "1/4", "¾": "3/4"}


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

    for step in _RUSSIAN_STEPS.split():
        text = getattr(rutextnorm, step)(text)
    return text.replace(" .", ".")


def _number(text: str) -> float:
    return float(re.sub(r"\s", "", text).replace(",", "."))


def _counted(amount: str, forms: str) -> str:
    """Return the form of a Russian noun after a number."""
    one, few, many = forms.split()
    number = _number(amount)
    if number != int(number):
        return few
    if number % 10 == 1 and number % 100 != 11:  # noqa: PLR2004 - how Russian counts
        return one
    return few if 2 <= number % 10 <= 4 and number % 100 // 10 != 1 else many  # noqa: PLR2004


def _roman(numeral: str) -> int:
    values = [_ROMAN[sign] for sign in numeral.upper()]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < after else value for value, after in pairs)


def _english_sum(match: re.Match[str]) -> str:
    """Say ``$2.5M`` and ``$1.2 billion``: the currency comes last."""
    size = _SIZES[match["size"][0].lower()][0]
    return f"{match['amount']} {size} {_COINS[match['coin']][0]}"


def _russian_sum(match: re.Match[str]) -> str:
    """Say ``1 299,99 ₽``, ``$2.5M`` and ``40 тыс.``."""
    amount, coin, size = match["amount"].strip(), match["coin"], match["size"]
    _word, forms, cents = _COINS.get(coin or "₽", _COINS["₽"])
    if size:
        key, many = size.lower().rstrip("."), forms.split()[2] if coin else ""
        if key == "тыс" and amount.isdigit():
            return f"{amount}000 {many}".rstrip()
        sizes = _SIZES.get(key) or _SIZES[key[0]]
        return f"{_half(amount)} {_counted(amount, sizes[1])} {many}".rstrip()
    whole, _comma, rest = re.sub(r"\s", "", amount).replace(".", ",").partition(",")
    text = f"{whole} {_counted(whole, forms)}"
    if not rest:
        return text
    return f"{text} {int(rest.ljust(2, '0'))} {_counted(rest.ljust(2, '0'), cents)}"


def _phone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(
        "eight hundred"
        if group == "800"
        else " ".join(_DIGITS.split()[int(d)] for d in group)
        for group in groups
    )


def _half(amount: str) -> str:
    """Say a Russian number that ends in a half as people do."""
    whole, _comma, rest = amount.replace(".", ",").partition(",")
    if rest != "5" or whole == "0":
        return f"{whole},{rest}" if rest else whole
    return "полтора" if whole == "1" else f"{whole} с половиной"


def _percent(match: re.Match[str]) -> str:
    few = "процента" if match[1] in ("0", "1") else "процентов"
    return f"{_half(match[1] + ',5')} {few}"


def _date(match: re.Match[str]) -> str:
    from babel.dates import get_month_names  # noqa: PLC0415 - 50 ms, for dates

    day, month = int(match["day"]), int(match["month"])
    if not 1 <= month <= 12 or not 1 <= day <= 31:  # noqa: PLR2004 - a calendar's
        return match[0]
    return f"{day} {get_month_names(locale='ru')[month]} {match['year']} года"


def _half_unit(match: re.Match[str]) -> str:
    unit = {"л": "литра", "кг": "килограмма", "км": "километра", "м": "метра"}[match[2]]
    return f"{_half(match[1] + ',5')} {unit}"


def _american_date(match: re.Match[str]) -> str:
    month, day, year = match.groups()
    if not 1 <= int(month) <= 12:  # noqa: PLR2004 - a calendar's
        return match[0]
    return f"{_ENGLISH_MONTHS.split('|')[int(month) - 1]} {int(day)}, {year}"


def _month(match: re.Match[str]) -> str:
    names = _ENGLISH_MONTHS.split("|")
    return next(name for name in names if name.startswith(match[1])) + " "


def _regnal(match: re.Match[str]) -> str:
    number = _roman(match[2])
    return f"{match[1]} the {number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }"


def _place(match: re.Match[str]) -> str:
    where = match[1] or ""
    return f"{where}{_PLACES[match[2]][bool(where)]} "


_AMOUNT = r"(?P<amount>\d+(?:[\d\s]*\d)?(?:[.,]\d+)?)"
_RUSSIAN_SIZE = r"(?P<size>(?:тыс\.|млн\.?|млрд\.?|[KkMmBb])(?!\w))"
_TABLES: dict[str, dict[str, str | Callable[[re.Match[str]], str]]] = {
    "en": {
        r"(\d) ?½": r"\1 and a half",
        "[½¼¾]": lambda m: f" {_VULGAR[m[0]]}",
        r"\b50/50\b": "fifty-fifty",
        r"[~≈](?=\d)": "about ",
        r"\b(\d\d?)/(\d\d?)/(\d{4})\b": _american_date,
        r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\.? (?=\d)": _month,
        r"(?<=\d)/(?=(?:month|year|week|day|hour|night|person)\b)": " per ",
        r"\b([A-Z]+)-(\d+)\b": r"\1 \2",
        r"\bmph\b": "miles per hour",
        r"\bfps\b": "frames per second",
        r"(?<!\w)['’](\d0s)\b": r"19\1",
        r"\bpp?\. ?(?=\d)": "page ",
        r"\bv(?=\d)": "version ",
        r"(?P<coin>[$€£₽])(?P<amount>\d[\d.,]*)\s?"
        r"(?P<size>[KkMmBbTt](?:n|illion|rillion)?\b)": _english_sum,
        r"₽(\d[\d.,]*)": r"\1 rubles",
        r"(\d)\s?¢": r"\1 cents",
        r"(?<!\w)\+\d[\d ()-]{7,}\d\b": _phone,
        r"(?<![\w.])(?:\+?1[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}\b": _phone,
        # a year, unless the normaliser knows it as part of a date
        rf"(?<![\d$€£.,/-])(?<!\d, )(?:({_ENGLISH_MONTHS}) )?\b20([1-9]\d)"
        r"(?![\d/-]|[.,]\d| ?[%°])": lambda m: m[0] if m[1] else f"20 {m[2]}",
        rf"\b({_KINGS}) ([IVX]+)\b": _regnal,
        rf"\b({_PARTS}) ([IVXLC]+)\b": lambda m: f"{m[1]} {_roman(m[2])}",
        r"(?<![\w.-])(\d{1,4})[-–](\d{1,4})(?![\w-])": r"\1 to \2",
        r"\b[Nn]o\. ?(?=\d)": "number ",
        r"\b((?:Python|Java|[Vv]ersion|iOS|Android|Ubuntu|macOS) \d+)\.(\d\d)\b": (
            r"\1 point \2"
        ),
        r"\b([ap]\.m\.)(?=\s+[A-Z])": r"\1.",
        r"\bSt\.(?= [A-Z])": "Saint",
        r"(?<=[a-z] )St\.": "Street",
        r"\b([Aa]pprox)\.": r"\1imately",
    },
    "ru": {
        # the stop of a short form ends its sentence, too
        r"(\bт\. ?[дп]\.|\bдр\.|\d ?(?:[смк]?м|мин|сек|кг)\.)(?=\s+[А-ЯЁ]|$)": r"\1 .",
        r"\b([Сс])тр\. ?(?=\d)": r"\1траница ",
        "[½¼¾]": lambda m: _VULGAR[m[0]],
        r"(?<=\w )1/2(?![\d/])": "половину",
        r"\b50/50\b": "пятьдесят на пятьдесят",
        r"\+(?=\d+ ?(?:°|градус))": "плюс ",
        r"(?<![\d.,])(\d+),5 (л|кг|км|м)\b": _half_unit,
        r"(\d+) ?г(?![\w.])": lambda m: f"{m[1]} {_counted(m[1], _GRAM)}",
        rf"\b([Кк]) (\d{{1,2}}) (?=(?:{_MONTHS})\w+)": r"\1 \2-му ",
        r"\b([Сс]|[Дд]о|[Оо]т|[Пп]осле) (\d{1,2}):00\b": r"\1 \2 часов",
        r"\bкв\. ?(?=\d)": "квартира ",
        r"(?<![\d.,])(\d+)[.,]5\s?%": _percent,
        r"(?<![\d/])[123]/[234](?![\d/])": lambda m: _SHARES.get(m[0], m[0]),
        r"\b24/7\b": "двадцать четыре на семь",
        rf"(?P<coin>[$€£₽])\s?{_AMOUNT}\s?{_RUSSIAN_SIZE}?": _russian_sum,
        rf"{_AMOUNT}\s?{_RUSSIAN_SIZE}?\s?(?P<coin>[$€£₽]|руб\.)": _russian_sum,
        rf"{_AMOUNT}\s?{_RUSSIAN_SIZE}(?P<coin>)": _russian_sum,
        r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b": _date,
        r"\b(?P<day>\d{1,2})\.(?P<month>\d\d)\.(?P<year>\d{4})\b(?: ?г\.)?": _date,
        r"\b([IVXLC]+) (?=(век\w*))": (
            lambda m: f"{_roman(m[1])}-{_CENTURY.get(m[2], 'й')} "
        ),
        r"(?<=[ая] )([IVX]+)\b": lambda m: f"{_roman(m[1])}-я",
        r"(?<=[а-яё] )([IVX]+)\b": lambda m: f"{_roman(m[1])}-й",
        r"(?<!\d )(?<!\d)\b([Сс])м\.": r"\1мотри",
        r"\b([Нн]а |[Вв] )?(ул|пр|пл|г)\. (?=[А-ЯЁ])": _place,
        r"\bд\. ?(?=\d)": "дом ",
        r"\b([Нн])апр\.": r"\1апример",
    },
}
_RULES: dict[str, list[Rule]] = {
    language: [(re.compile(pattern), said) for pattern, said in table.items()]
    for language, table in _TABLES.items()
}
