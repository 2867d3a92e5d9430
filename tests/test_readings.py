"""The readings a native speaker would choose."""

from __future__ import annotations

import pytest

from heygen_nb.preview.text import plan_utterances
from heygen_nb.readings import spoken
from heygen_nb.timing import estimate_s

ENGLISH = """
It costs $2.5M.
    It costs two point five million dollars.
A budget of $1.2 billion is planned.
    A budget of one point two billion dollars is planned.
You save $1,299.99 today.
    You save one thousand two hundred ninety-nine dollars and ninety-nine cents today.
A ticket is $1.
    A ticket is one dollar.
Only 50¢ a day.
    Only fifty cents a day.
It costs €1.
    It costs one euro.
The price is £3.50.
    The price is three pounds and fifty pence.
Call 1-800-555-0199 now.
    Call one, eight hundred, five five five, zero one nine nine now.
Dial +1 (212) 555-0142.
    Dial plus one, two one two, five five five, zero one four two.
It opens on 2024-01-05.
    It opens on January fifth, twenty twenty-four.
On March 3, 2021 we began.
    On March third, twenty twenty-one we began.
In 1999 it rained.
    In nineteen ninety-nine it rained.
By 2030 it will be done.
    By twenty thirty it will be done.
In the 1990s we danced.
    In the nineteen nineties we danced.
We meet at 7:05 p.m. today.
    We meet at seven oh five p m today.
The bus leaves at 14:30.
    The bus leaves at fourteen thirty.
School starts at 8:00 AM.
    School starts at eight a m.
The 21st century
    The twenty-first century
Her 3rd try
    Her third try
World War II ended.
    World War two ended.
King Henry VIII had six wives.
    King Henry the eighth had six wives.
Chapter IV begins.
    Chapter four begins.
It weighs 5 kg.
    It weighs five kilograms.
It is 1 km away.
    It is one kilometer away.
He ran at 12 km/h.
    He ran at twelve kilometers per hour.
It was -5°C outside.
    It was minus five degrees Celsius outside.
It takes 10-15 minutes.
    It takes ten to fifteen minutes.
Pages 12–18
    Pages twelve to eighteen
See No. 5 below.
    See number five below.
Dr. Smith met Mr. Jones.
    Doctor Smith met mister Jones.
Use tools, e.g. a saw.
    Use tools, for example a saw.
Add 1/2 cup of milk.
    Add one half cup of milk.
About 3/4 of them
    About three quarters of them
Python 3.11 is out.
    Python three point eleven is out.
Version 2.0.1 is here.
    Version two point zero point one is here.
It grew by 50%.
    It grew by fifty percent.
Only 0.5% left
    Only zero point five percent left
There are 1,000,000 stars.
    There are one million stars.
Open 24/7.
    Open twenty-four seven.
St. Patrick lived on Main St. in town.
    Saint Patrick lived on Main Street in town.
The vote was 52 vs. 48.
    The vote was fifty-two versus forty-eight.
Buy 2 & get 1 free
    Buy two and get one free
It is #1 in sales.
    It is number one in sales.
It has 256 GB of memory.
    It has two hundred fifty-six gigabytes of memory.
Cats, dogs, etc. Then lunch.
    Cats, dogs, et cetera. Then lunch.
It costs $20/month.
    It costs twenty dollars per month.
    Meet at 10:30 a.m. on Jan 5, 2024.
    Meet at ten thirty a m on January fifth, twenty twenty-four.
    On 07/04/2025 we meet.
    On July fourth, twenty twenty-five we meet.
    He drove at 100 mph.
    He drove at one hundred miles per hour.
    Add 2½ cups of flour.
    Add two and a half cups of flour.
    In May 2024 it rained.
    In May twenty twenty-four it rained.
    See p. 12 of it.
    See page twelve of it.
    Read pp. 12-15 first.
    Read pages twelve to fifteen first.
    Add 2 1/2 cups.
    Add two and a half cups.
    The ratio is 3:1.
    The ratio is three to one.
    From 2019-2021 it grew.
    From twenty nineteen to twenty twenty-one it grew.
    He is 5'11" tall.
    He is five foot eleven tall.
    A 60fps video.
    A sixty frames per second video.
    Call 911 now.
    Call nine one one now.
    Call 555-0199 now.
    Call five five five, zero one nine nine now.
    It has 1M users and 5K likes.
    It has one million users and five thousand likes.
    It is a 4K video.
    It is a four K video.
    On 25 December 2024 we met.
    On December twenty-fifth, twenty twenty-four we met.
    It is 2x faster.
    It is two times faster.
    It costs $1.5-2M.
    It costs one point five to two million dollars.
    Pay $10-$20 for it.
    Pay ten dollars to twenty dollars for it.
    Win a $50 gift.
    Win a fifty dollar gift.
    Elon's $44B deal closed.
    Elon's forty four billion dollar deal closed.
    He owes the $44B in debt.
    He owes the forty four billion dollars in debt.
    A $1.5 million grant went to her $5 coffee.
    A one point five million dollar grant went to her five dollar coffee.
    Those in their 40s like the 80s.
    Those in their forties like the eighties.
    Take flight 370 from room 101.
    Take flight three seventy from room one oh one.
    A 4x4 truck is 3x as good.
    A four by four truck is three times as good.
    The 80/20 rule of 9/11
    The eighty twenty rule of nine eleven
    8 oz. of water, 6 ft. tall
    eight ounces of water, six feet tall
    Open 10 a.m.-5 p.m. daily
    Open ten a m to five p m daily
    It has 50k views.
    It has fifty thousand views.
    A $100-a-month plan
    A one hundred dollar a month plan
"""
RUSSIAN = """
Это стоит 1 299,99 ₽.
    Это стоит тысяча двести девяносто девять рублей девяносто девять копеек.
Всего 1 рубль.
    Всего один рубль.
Билет стоит 2 руб.
    Билет стоит два рубля.
Он заработал $2.5M.
    Он заработал два с половиной миллиона долларов.
Бюджет 3 млрд руб. утверждён.
    Бюджет три миллиарда рублей утверждён.
Цена 21 €.
    Цена двадцать один евро.
Мы прошли 5 км.
    Мы прошли пять километров.
Скорость 90 км/ч.
    Скорость девяносто километров в час.
Купите 1 кг яблок и 2 кг груш.
    Купите один килограмм яблок и два килограмма груш.
На улице -5 °C.
    На улице минус пять градусов Цельсия.
Встреча 05.01.2024.
    Встреча пятого января две тысячи двадцать четвёртого года.
Это было 12 апреля 1961 г.
    Это было двенадцатого апреля тысяча девятьсот шестьдесят первого года.
В 2024 году
    В две тысячи двадцать четвёртом году
Начало в 19:30.
    Начало в девятнадцать часов тридцать минут.
В XIX веке
    В девятнадцатом веке
Пётр I родился
    Пётр первый родился
Это 3-й раз.
    Это третий раз.
На 2-м этаже
    На втором этаже
См. №5.
    Смотри номер пять.
Рост на 7,5 %.
    Рост на семь с половиной процентов.
Звоните 8 800 555-35-35.
    Звоните восемь восемьсот пятьсот пятьдесят пять тридцать пять тридцать пять.
Возьмите 1/2 стакана.
    Возьмите половину стакана.
Это займёт 10–15 минут.
    Это займёт десять-пятнадцать минут.
и т. д. и т. п.
    и так далее и тому подобное.
Живёт на ул. Ленина, д. 5.
    Живёт на улице Ленина, дом пять.
Нам 25 лет.
    Нам двадцать пять лет.
У нас 1000 подписчиков.
    У нас тысяча подписчиков.
Около 40 тыс. человек
    Около сорока тысяч человек
Версия 2.0.1 вышла.
    Версия два точка ноль точка один вышла.
Открыто 24/7.
    Открыто двадцать четыре на семь.
Это в 2 раза быстрее.
    Это в два раза быстрее.
Осталось 3 минуты.
    Осталось три минуты.
Пробег 2 тыс. км.
    Пробег две тысячи километров.
Чай и т. д. Потом обед.
    Чай и так далее. Потом обед.
Осталось 3 мин. Потом обед.
    Осталось три минуты. Потом обед.
Екатерина II правила
    Екатерина вторая правила
    Площадь 5 м²
    Площадь пять квадратных метров
    Возьмите 1,5 л воды.
    Возьмите полтора литра воды.
    Подарок к 8 марта
    Подарок к восьмому марта
    Мира, 7, кв. 12
    Мира, семь, квартира двенадцать
    Прошли 2/3 пути.
    Прошли две трети пути.
    Открыто с 10:00 до 19:00.
    Открыто с десяти до девятнадцати часов.
    Открыто с 9 до 18.
    Открыто с девяти до восемнадцати.
    Отпуск с 1 по 5 мая.
    Отпуск с первого по пятое мая.
    Он занял 1-е место.
    Он занял первое место.
    Пришли 10–15 человек.
    Пришли десять-пятнадцать человек.
    Нужно 2 1/2 стакана.
    Нужно два с половиной стакана.
    Прошло 1,5 часа.
    Прошло полтора часа.
    Прошло 1,5 минуты.
    Прошло полторы минуты.
    Ей 1 год, ему 2 года.
    Ей один год, ему два года.
    От 1 года до 3 лет.
    От одного года до трёх лет.
    В 2025 г. всё изменится.
    В две тысячи двадцать пятом году всё изменится.
    Здесь 100+ советов.
    Здесь более ста советов.
    Скидка до 50%.
    Скидка до пятидесяти процентов.
    У 3 людей есть ключ.
    У трёх людей есть ключ.
    Видео в 4K и 5G.
    Видео в четыре ка и 5G.
    Скорость 60 км/ч. Это много.
    Скорость шестьдесят километров в час. Это много.
    Поздравляем с 9 мая!
    Поздравляем с девятым мая!
    10х рост за год.
    Рост в десять раз за год.
    Выросли в 2,5х.
    Выросли в два с половиной раза.
    Это 2x быстрее.
    Это в два раза быстрее.
    Пришёл с 21 сотрудником и с 31 подругой.
    Пришёл с двадцатью одним сотрудником и с тридцатью одной подругой.
    Ушёл с 100 рублями.
    Ушёл со ста рублями.
    К 2030 году успеем.
    К две тысячи тридцатому году успеем.
    Приду к 18:00.
    Приду к восемнадцати часам.
    Работаю с 8 утра.
    Работаю с восьми утра.
    Осталось 5 шт. и 2 пары.
    Осталось пять штук и две пары.
    Куплю за 1990 ₽.
    Куплю за тысячу девятьсот девяносто рублей.
    Фильм 18+ для взрослых
    Фильм восемнадцать плюс для взрослых
"""


def pairs(text):
    """Return what is written and, on the line below, what is said."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return zip(lines[::2], lines[1::2], strict=True)


LINES = [("en", *pair) for pair in pairs(ENGLISH)]
LINES += [("ru", *pair) for pair in pairs(RUSSIAN)]


def words(text):
    """Return the words alone: a voice says no capitals, hyphens or dots on the e."""
    return text.lower().replace("ё", "е").replace("-", " ").split()


@pytest.mark.parametrize(("language", "written", "said"), LINES)
def test_a_line_is_read_as_a_native_speaker_would(language, written, said):
    assert words(spoken(written, language).rstrip(".")) == words(said.rstrip("."))


@pytest.mark.parametrize(("language", "written", "said"), LINES)
def test_a_length_counts_the_words_that_are_said(language, written, said):
    written_s, said_s = (estimate_s(text, language) for text in (written, said))

    assert written_s == pytest.approx(said_s, abs=0.6)


@pytest.mark.parametrize(
    "script",
    ["We have No. 5. It is new.", "Meet Dr. Smith, e.g. at home. Bring 2 pens."],
)
def test_a_short_form_ends_no_sentence(script):
    assert len(plan_utterances(script, "en")) == 2


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("text", ["Ordinary words, all of them.", "за́мок\n\nи замо́к"])
def test_what_needs_no_reading_stays_letter_for_letter(language, text):
    assert spoken(text, language) == text


def test_line_breaks_and_blanks_around_a_reading_stay():
    assert spoken("  One 1\n\n  Two 2 ", "en") == "  One one\n\n  Two two "
    assert spoken("Das kostet 5 €", "de") == "Das kostet 5 €"
