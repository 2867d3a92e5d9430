from __future__ import annotations

import datetime as dt
import importlib.util
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from heygen_nb.drafts import drafts_from, read_table, table_of
from heygen_nb.drafts.table import key_of
from heygen_nb.errors import DraftError, HeygenNbError

NAN = float("nan")


class Frame:
    """What drafts_from knows of a DataFrame."""

    def __init__(self, records):
        self.records = records

    def to_dict(self, orient):
        assert orient == "records"
        return self.records


class Unknowable:
    """pandas' NA: nothing is true of it, not even that it equals itself."""

    def __eq__(self, other):
        return self

    def __ne__(self, other):
        return self

    __hash__ = None

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")


def cells(table):
    return [dict(row.cells) for row in table.rows]


def read(text, name="people.csv"):
    return read_table(name, text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_rows_know_their_number_and_line(separator):
    table = read(
        f"name{separator}wish\nAnna{separator}"
        f'"two\nlines{separator} one cell"\n\n{separator}\nBoris{separator}x\n'
    )

    assert cells(table) == [
        {"name": "Anna", "wish": f"two\nlines{separator} one cell"},
        {"name": "Boris", "wish": "x"},
    ]
    assert [table.place(row) for row in table.rows] == [
        "people.csv, line 2 (row 1)",
        "people.csv, line 6 (row 2)",
    ]


def test_a_separator_inside_of_a_quoted_header_does_not_count():
    table = read('"last, first, middle";city\nA;B\n')

    assert list(table.columns.values()) == ["last, first, middle", "city"]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffимя;город\nАнна;Омск\n".encode(),
        "имя\tгород\nАнна\tОмск\n".encode("utf-16"),
        b"\xfe\xff" + "имя\tгород\r\nАнна\tОмск\r\n".encode("utf-16-be"),
        "имя,город\rАнна,Омск\r".encode(),
    ],
    ids=["utf-8 with mark", "utf-16 of Excel", "utf-16 the other way", "old Mac"],
)
def test_what_excel_writes_is_read(content):
    assert cells(read(content, "people.txt")) == [{"имя": "Анна", "город": "Омск"}]


def test_yaml_is_a_list_of_maps_as_they_are_written():
    table = read("- {id: 007, name: on}\n- {name: 1e5, wish: null}\n", "a.yaml")

    assert cells(table) == [
        {"id": "007", "name": "on", "wish": ""},
        {"id": "", "name": "1e5", "wish": ""},
    ]
    assert table.place(table.rows[1]) == "a.yaml, line 2 (row 2)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (NAN, ""),
        (Decimal("NaN"), ""),
        (Unknowable(), ""),
        (False, ""),
        (True, "True"),
        (2.0, "2"),
        (2.5, "2.5"),
        (0.1 + 0.2, "0.3"),
        (1e16, "10000000000000000"),
        (float("inf"), "inf"),
        (0.00001, "0.00001"),
        (7, "7"),
        (Decimal("9.90"), "9.90"),
        (dt.date(2026, 11, 3), "2026-11-03"),
        (dt.datetime(2026, 11, 3), "2026-11-03"),  # noqa: DTZ001 - as pandas gives it
        (dt.datetime(2026, 11, 3, 15, 30, 12), "2026-11-03 15:30"),  # noqa: DTZ001
        (dt.time(9, 5), "09:05"),
    ],
)
def test_values_are_written_as_people_write_them(value, text):
    assert cells(table_of(Frame([{"value": value}]))) == [{"value": text}]


def test_a_data_frame_of_pandas_itself_is_a_table():
    if importlib.util.find_spec("pandas") is None:
        pytest.skip("pandas is not one of our needs")
    pandas = importlib.import_module("pandas")
    frame = pandas.DataFrame(
        {
            "name": ["Anna", None],
            "age": [30, None],
            "day": pandas.to_datetime(["2026-11-03", None]),
            "note": pandas.array([pandas.NA, "x"], dtype="string"),
        }
    )

    assert cells(table_of(frame)) == [
        {"name": "Anna", "age": "30", "day": "2026-11-03", "note": ""},
        {"name": "", "age": "", "day": "", "note": "x"},
    ]


def test_a_missing_key_is_an_empty_cell():
    table = table_of([{"a": "1"}, {"b": "2"}])

    assert cells(table) == [{"a": "1", "b": ""}, {"a": "", "b": "2"}]
    assert table.place(table.rows[1], "b") == "row 2, column “b”"


def test_columns_get_names_that_fit_into_placeholders():
    names = [key_of(name) for name in ("First name", "имя", "e-mail", "2026", " x ")]

    assert names == ["First_name", "имя", "e_mail", "_2026", "x"]
    assert list(read("№,%,name\n1,2,A\n").columns) == ["№", "%", "name"]


@pytest.mark.parametrize(
    ("text", "name", "parts"),
    [
        ("", "a.csv", ["a.csv", "no rows"]),
        ("name,city\n", "a.csv", ["a.csv", "no rows"]),
        ("[]", "a.yaml", ["a.yaml", "no rows"]),
        ("name,,city\na,b,c\n", "a.csv", ["a.csv, line 1", "column 2 has no name"]),
        ("name,x,name\na,b,c\n", "a.csv", ["a.csv, line 1", "called “name”"]),
        ("First name,First-name\na,b\n", "a.csv", ["called “First_name”"]),
        ("- {a: 1, a: 2}", "a.yaml", ["a.yaml, line 1", "“a”", "twice"]),
        ("a,b\n1,2\n1,2,3\n", "a.csv", ["a.csv, line 3", "more cells"]),
        ('a,b\n1,"2\n3,4\n5,6\n', "a.csv", ["a.csv, line 2", "quote"]),
        ('a,b\n1,2\n3,"4"5\n', "a.csv", ["a.csv, line 3", "quote"]),
        ("a\n" + "x" * 131_073, "a.csv", ["a.csv, line 2", "131072"]),
        ("a: [1]", "a.yaml", ["a.yaml, line 1", "a text belongs here"]),
        ("- a\n", "a.yaml", ["a.yaml, line 1"]),
        ("[" * 5000, "a.yaml", ["a.yaml"]),
        ("a: \x00", "a.yaml", ["a.yaml"]),
        ("имя\nАнна\n".encode("cp1251"), "a.csv", ["line 1", "0xE8", "CSV UTF-8"]),
        (
            "имя\nАнна\n".encode() + "Борис\n".encode("cp1251"),
            "a.csv",
            ["line 3", "0xC1", "at 16"],
        ),
        (b"\xff\xfea\x00b", "a.csv", ["UTF-16"]),
        (b"PK\x03\x04", "a.xlsx", ["a.xlsx", "CSV"]),
        (",".join(f"c{n}" for n in range(1_000_000)), "a.csv", ["1000 columns"]),
        (b"a\n" + b"x\n" * 5_000_000, "a.csv", ["larger than 10 MB"]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_broken_table_says_what_is_wrong_and_where(text, name, parts):
    begun = time.process_time()

    with pytest.raises(DraftError) as caught:
        read(text, name)

    for part in parts:
        assert part in str(caught.value)
    assert time.process_time() - begun < 5


def test_a_small_file_does_not_become_a_huge_table():
    row = "{" + ", ".join(f"c{n}: x" for n in range(900)) + "}"

    with pytest.raises(DraftError, match="cells"):
        read(f"- &a {row}\n" + "- *a\n" * 3000, "a.yaml")


def test_a_header_that_is_wider_than_all_rows_is_refused_at_once():
    header = ",".join(f"c{n}" for n in range(900))

    with pytest.raises(DraftError, match="cells"):
        read(header + "\n" + "x\n" * 1_000_000)


@pytest.mark.parametrize("source", [7, b"a,b", {"a": [1]}, ["a"], [{"a": [1]}], None])
def test_what_is_no_table_is_told(source):
    with pytest.raises(DraftError):
        drafts_from(source, "{{ a }}")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DraftError, match=r"gone\.csv"):
        table_of(tmp_path / "gone.csv")


@settings(deadline=None)  # a busy machine is no fault
@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.yaml", "a.txt"]))
def test_any_bytes_are_a_table_or_a_clear_error(content, name):
    try:
        table = read(content, name)
    except HeygenNbError as error:
        assert name in str(error)  # noqa: PT017 - either way is right
    else:
        assert table.rows
