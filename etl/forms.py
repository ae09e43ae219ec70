"""附件4 and 附件5 as data (M6, M12): columns, headings, known spellings, footer; for issue, read and report alike."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

#: Cells of a sheet, row by row, as a parser gives them.
Grid = Sequence[Sequence[object]]

RETURNED = ("是", "否")  # M10: I–M
NOT_ASKED = "无"  # M10: A–H


@dataclass(frozen=True)
class Column:
    """A column of a form; `width` in characters; `aliases` are further headings met in the wild."""

    key: str
    heading: str
    width: int
    editable: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """A workbook form. `title` and `footer` are printed above and below the table."""

    key: str
    sheet: str
    title: str
    columns: tuple[Column, ...]
    footer: tuple[Column, ...]

    @property
    def issued(self) -> tuple[Column, ...]:
        """Columns that the bureau fills and nobody may change (M8)."""
        return tuple(column for column in self.columns if not column.editable)

    @property
    def editable(self) -> tuple[Column, ...]:
        """Columns that the unit fills (M8)."""
        return tuple(column for column in self.columns if column.editable)


FOOTER = (
    Column("unit", "单位", 12),
    Column("filler", "填报人", 12),
    Column("phone", "联系电话", 14),
    Column("leader", "主管领导", 12),
)

ANNEX4 = Form(
    key="annex4",
    sheet="附件4",
    title="{county}疑似失学儿童个体情况汇总表",
    columns=(
        Column("serial", "原始序号（不要删除）", 10, aliases=("原始序号", "序号（不要删除）")),
        Column("province", "省份", 9, aliases=("省",)),
        Column("city", "地市", 9, aliases=("市", "地市（州）")),
        Column("county", "区县", 10, aliases=("县区", "区（县）", "县（市、区）")),
        Column("name", "姓名", 9, aliases=("儿童姓名",)),
        Column("sex", "性别", 5),
        Column("id_number", "身份证", 21, aliases=("身份证号", "身份证号码", "公民身份号码")),
        Column("household", "户籍地", 34, aliases=("户籍地址", "户籍所在地")),
        Column("category", "核查结果（选择下拉框）", 18, editable=True, aliases=("核查结果",)),
        Column("returned", "复学情况", 9, editable=True),
        Column("team", "备注（填写工作小组成员姓名）", 28, editable=True, aliases=("备注",)),
    ),
    footer=FOOTER,
)

ANNEX5 = Form(
    key="annex5",
    sheet="附件5",
    title="{county}疑似失学儿童核查劝返总体情况汇总表",
    columns=(
        Column("city", "地市", 10),
        Column("county", "区县", 14),
        Column("suspected", "疑似失学儿童合计", 12),
        *(Column(code, code, 7) for code in "ABCDEFGHIJKLM"),
        Column("returned", "复学人数", 9),
    ),
    footer=(*FOOTER, Column("date", "日期", 12)),
)

#: The hidden sheet that tells which issue and unit a workbook belongs to.
MANIFEST_SHEET = "fuxue"

#: The whole filling notes (填表说明), one line each; `{categories}` is replaced by the thirteen values.
FILLING_NOTES = (
    "一、只填写最后三列（核查结果、复学情况、备注），其余各列不得改动；原始序号不得删除，不漏一户，不少一人。",
    "二、核查结果从下拉框中选择，只能是下列十三项之一。",
    "{categories}",
    "三、复学情况：核查结果为 I–M 的填“是”或“否”；为 A–H 的填“无”。",
    "四、备注填写入户核查的工作小组成员姓名；核查与复学情况另由成员在纸质表上签字确认。",
    "五、填好后保存（保留原口令），按原渠道单线报回；不得使用公共邮箱、网盘或聊天工具传送。",
)


def cell_address(row: int, column: int) -> str:
    """The address of a cell such as ``J7``; `row` and `column` count from 0."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row + 1}"


def same_heading(text: str) -> str:
    """A heading without what people and programs change: width of brackets, spaces, line breaks."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def headings(form: Form) -> dict[str, str]:
    """Column key by every known spelling of its heading, normalised."""
    return {same_heading(h): column.key for column in form.columns for h in (column.heading, *column.aliases)}


def find_header(
    rows: Grid, form: Form, *, wanted: tuple[str, ...], within: int = 30
) -> tuple[int, dict[str, int]] | None:
    """The row index of a form's header and the column index of each key, or None.

    A row is the header if it names every `wanted` column exactly once; its place does not matter.
    """
    known = headings(form)
    for index, row in enumerate(rows[:within]):
        keys = [known.get(same_heading(str(value))) for value in row]
        if all(keys.count(key) == 1 for key in wanted):
            return index, {key: at for at, key in enumerate(keys) if key is not None}
    return None
