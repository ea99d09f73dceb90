"""Files that tests of reading write: text as given, and workbooks of rows."""

import openpyxl


def text_file(folder, text, name="cohort.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def excel_file(folder, *rows, sheet="patients", **others):
    """A workbook with one sheet of rows, and others as rows by title; a title ending in _hidden is hidden."""
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    for title, cells in others.items():
        added = book.create_sheet(title)
        added.sheet_state = "hidden" if title.endswith("_hidden") else "visible"
        for row in cells:
            added.append(row)
    path = folder / "cohort.xlsx"
    book.save(path)
    return path
