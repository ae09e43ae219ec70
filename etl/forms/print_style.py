"""How every form looks on paper, whoever writes it: cell formats, A4 pages, lines for signatures."""

from typing import Any

from etl.forms.layout import HEADER, TITLE, Layout


def make_styles(book: Any) -> dict[str, Any]:
    """The cell formats of all sheets, by name."""
    base = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}
    grid = base | {"border": 1, "text_wrap": True, "num_format": "@"}
    open_ = grid | {"locked": False, "bg_color": "#FFFBE6"}
    return {
        "title": book.add_format(base | {"bold": True, "font_size": 18, "align": "center"}),
        "progress": book.add_format(base | {"bold": True, "align": "left", "font_color": "#1F4E79"}),
        "header": book.add_format(grid | {"bold": True, "align": "center", "bg_color": "#E7EDF3"}),
        "issued": book.add_format(grid | {"locked": True}),
        "text": book.add_format(open_),
        "names": book.add_format(open_),
        "date": book.add_format(open_ | {"num_format": "yyyy-mm-dd", "align": "center"}),
        "number": book.add_format(grid | {"align": "center", "num_format": "0"}),
        "label": book.add_format(base | {"align": "right"}),
        "blank": book.add_format(base | {"bottom": 1, "locked": False, "num_format": "@", "shrink": True}),
        "linked": book.add_format(base | {"bottom": 1, "num_format": "@", "shrink": True}),
        "note": book.add_format(base | {"text_wrap": True, "valign": "top"}),
        "wrong": book.add_format({"bg_color": "#E0464E", "font_color": "#FFFFFF", "bold": True}),
        "due": book.add_format({"bg_color": "#FBD5D5"}),
        "done": book.add_format({"font_color": "#1E7B34"}),
    }


def set_up_pages(sheet: Any, layout: Layout) -> None:
    """Landscape pages of A4 as wide as the table, the header on each, and the form's line for signatures."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.9)
    sheet.center_horizontally()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(TITLE, HEADER)
    sheet.set_footer(f"&L&9{layout.form.sign}&R&9第 &P 页，共 &N 页")
    sheet.print_area(0, 0, layout.footer, layout.right)
