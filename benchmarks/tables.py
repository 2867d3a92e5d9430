"""Tables: 10,000 rows to drafts, beside a plain loop, and into the book."""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path

from heygen_nb.drafts import check_draft, drafts_from
from heygen_nb.ledger import Ledger
from heygen_nb.models import Draft

ROWS = 10_000
LIMIT_S = 5.0
TITLE = "Welcome, {name}"
SCRIPT = (
    "Hello {name} of {company}! It is good to have you with us. "
    "Our wish for your first week in {city}: {wish}. "
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        table, template = Path(folder, "people.csv"), Path(folder, "greeting.md")
        write(table)
        text = f"---\ntitle: {TITLE}\n---\n{SCRIPT}"
        template.write_text(text.replace("{", "{{ ").replace("}", " }}"), "utf-8")
        plain_s, ours_s, drafts = compare(table, template)
        print(f"csv.DictReader + str.format, {ROWS:,} rows: {plain_s:.2f} s")
        print(
            f"drafts_from, checked, with ids: {ours_s:.2f} s "
            f"({ours_s / plain_s:.1f} times; limit {LIMIT_S:.0f} s)"
        )
        print(f"the same as YAML: {as_yaml(table, template):.2f} s")
        add(Path(folder), drafts)


def write(file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("name", "company", "city", "wish", "mail"))
        for number in range(ROWS):
            row = (f"Анна {number}", f"Firm, {number % 97}", "Омск", 'a "quiet" shared')
            writer.writerow((*row, f"n{number}@example.com"))


def compare(table: Path, template: Path) -> tuple[float, float, list[Draft]]:
    """Time both in turns, three times; return the best of each."""
    plain, ours, drafts = [], [], []
    for _round in range(3):
        begun = time.perf_counter()
        with table.open(encoding="utf-8", newline="") as stream:
            made = [
                Draft(script=SCRIPT.format(**row), title=TITLE.format(**row))
                for row in csv.DictReader(stream)
            ]
        plain.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        drafts = drafts_from(table, template)
        ours.append(time.perf_counter() - begun)
        for one, other in zip(made, drafts, strict=True):
            check_draft(other)
            assert one.script.strip() == other.script
    return min(plain), min(ours), drafts


def as_yaml(table: Path, template: Path) -> float:
    file = table.with_suffix(".yaml")
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    lines = [
        "- " + "\n  ".join(f"{key}: {value!r}" for key, value in row.items())
        for row in rows
    ]
    file.write_text("\n".join(lines), "utf-8")
    begun = time.perf_counter()
    assert len(drafts_from(file, template)) == ROWS
    return time.perf_counter() - begun


def add(folder: Path, drafts: list[Draft]) -> None:
    with Ledger(f"sqlite:///{folder / 'ledger.db'}") as ledger:
        begun = time.perf_counter()
        for draft in drafts[:200]:
            ledger.drafts.save(draft.model_copy(update={"id": f"x{draft.id}"}), over=0)
        singly_s = (time.perf_counter() - begun) * ROWS / 200
        for what in ("new ones", "the same again"):
            begun = time.perf_counter()
            new, _others = ledger.drafts.save_all(drafts)
            spent_s = time.perf_counter() - begun
            print(f"into the book, {what} ({new:,} new): {spent_s:.2f} s")
        print(f"one by one it would be about {singly_s:.0f} s")


if __name__ == "__main__":
    main()
