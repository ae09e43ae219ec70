"""All forms as data (M6, M12, M15–M17): columns, headings, known spellings, footer. A new form needs data only.

The code that writes, self-checks, reads, checks and (for tests) fills in workbooks is the same for every form.
"""

from dataclasses import dataclass

RETURNED = ("是", "否")  # M10: I–M
NOT_ASKED = "无"  # M10: A–H


@dataclass(frozen=True)
class Column:
    """A column of a form.

    `width` is in characters; `aliases` are other headings that occur in practice. The rest applies to editable columns:
    `choices` names the list of allowed values (`etl/rulebook/choices.py`), `depends` the column whose value selects
    among them. If `required`, a blank is a fault in every row; `needs` are the columns that must be filled if this one
    is. Sheets that were handed out before the column existed `may_lack` it. `kind` is ``text``, ``names`` or ``date``.
    Excel shows `hint` at the selected cell; `example` is a valid value.
    """

    key: str
    heading: str
    width: int
    editable: bool = False
    aliases: tuple[str, ...] = ()
    choices: str = ""
    depends: str = ""
    required: bool = False
    needs: tuple[str, ...] = ()
    may_lack: bool = False
    kind: str = "text"
    hint: str = ""
    example: str = ""


@dataclass(frozen=True)
class Form:
    """A workbook form. `title` and `footer` are printed above and below the table, `notes` on a sheet of their own.

    The first column identifies a row. `sign` is the line for signatures at the foot of each printed page.
    """

    key: str
    sheet: str
    title: str
    columns: tuple[Column, ...]
    footer: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    sign: str = ""

    @property
    def issued(self) -> tuple[Column, ...]:
        """Columns that the bureau fills and the recipient must not change (M8)."""
        return tuple(column for column in self.columns if not column.editable)

    @property
    def editable(self) -> tuple[Column, ...]:
        """Columns that the recipient fills (M8)."""
        return tuple(column for column in self.columns if column.editable)

    @property
    def row_key(self) -> str:
        """The key of the column that identifies a row."""
        return self.columns[0].key

    @property
    def wanted(self) -> tuple[str, ...]:
        """The keys of the columns that every sheet of this form has."""
        return tuple(column.key for column in self.columns if not column.may_lack)

    def column(self, key: str) -> Column:
        """The column with a key."""
        return next(column for column in self.columns if column.key == key)


FOOTER = (
    Column("unit", "单位", 12),
    Column("filler", "填报人", 12),
    Column("phone", "联系电话", 14),
    Column("leader", "主管领导", 12),
)

_KEEP = "一、只填写黄色各列，其余各列不得改动；行不得增删。"
_SEND = "填好后保存（保留原口令），按原渠道单线报回；不得使用公共邮箱、网盘或聊天工具传送。"

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
        Column("category", "核查结果（选择下拉框）", 18, editable=True, aliases=("核查结果",), choices="categories",
               required=True, hint="请从下拉框中选择十三项之一。", example="B.在校有学籍"),
        Column("returned", "复学情况", 9, editable=True, choices="returned", depends="category", required=True,
               hint="先选核查结果：I–M 选“是”或“否”，A–H 选“无”。", example="I–M：是；A–H：无"),
        Column("team", "备注（填写工作小组成员姓名）", 28, editable=True, aliases=("备注",), required=True,
               kind="names", hint="填写入户核查的工作小组成员姓名，用顿号隔开；另在纸质表上签字。",
               example="张三、李四"),
    ),
    footer=FOOTER,
    notes=(
        "一、只填写最后三列（核查结果、复学情况、备注），其余各列不得改动；原始序号不得删除，不漏一户，不少一人。",
        "二、核查结果从下拉框中选择，只能是下列十三项之一。",
        "{categories}",
        "三、复学情况：核查结果为 I–M 的填“是”或“否”；为 A–H 的填“无”。",
        "四、备注填写入户核查的工作小组成员姓名；核查与复学情况另由成员在纸质表每页页脚签字确认。",
        "五、浅红为待填，深红为待改；全部消失、表头显示“待改 0”后，“附件5”由公式自动汇总，核对后打印签字。",
        f"六、{_SEND}",
    ),
    sign="入户核查成员签字：＿＿＿＿＿＿＿＿　复学确认成员签字：＿＿＿＿＿＿＿＿",
)  # fmt: skip

ANNEX5 = Form(
    key="annex5",
    sheet="附件5",
    title="{county}疑似失学儿童核查劝返总体情况汇总表",
    columns=(
        Column("city", "地市", 9),
        Column("county", "区县", 17),
        Column("suspected", "疑似失学儿童合计", 9),
        *(Column(code, code, 8) for code in "ABCDEFGHIJKLM"),
        Column("returned", "复学人数", 8),
    ),
    footer=(*FOOTER, Column("date", "日期", 12)),
)

_PERSON = (
    Column("serial", "原始序号", 9),
    Column("name", "姓名", 9),
    Column("sex", "性别", 5),
    Column("id_number", "身份证", 21),
    Column("household", "户籍地", 30),
    Column("category", "核查结果", 16),
)

CORRECTIONS = Form(
    key="corrections",
    sheet="更正",
    title="{county}疑似失学儿童信息更正表（{recipient}）",
    columns=(
        Column("reference", "更正编号（不要删除）", 17),
        *_PERSON,
        Column("cause", "原因（选择下拉框）", 24, editable=True, choices="causes", hint="从下拉框中选择查明的原因。"),
        Column("outcome", "办理结果（选择下拉框）", 18, editable=True, choices="outcomes", needs=("cause", "date"),
               hint="办结后从下拉框中选择；未办结的留空。"),
        Column("date", "办结日期", 13, editable=True, kind="date", needs=("outcome",), hint="如 2019-02-26。"),
        Column("remark", "说明", 20, editable=True, hint="需要说明的情况，可不填。"),
    ),
    footer=FOOTER,
    notes=(
        _KEEP,
        "二、发现一条、更正一条：查明原因，更正人口信息或学籍信息后，选择办理结果并填写办结日期。",
        "三、尚未办结的，办理结果与办结日期留空，下次再报。",
        f"四、{_SEND}",
    ),
    sign="经办人签字：＿＿＿＿＿＿＿＿　负责人签字：＿＿＿＿＿＿＿＿",
)  # fmt: skip

CASES = Form(
    key="cases",
    sheet="一人一档",
    title="{county}应劝返儿童一人一档工作表（{recipient}）",
    columns=(
        Column("reference", "档案编号（不要删除）", 17),
        *_PERSON,
        Column("returned", "复学情况", 7),
        Column("measure", "劝返措施（选择下拉框）", 22, editable=True, choices="measures", depends="category",
               needs=("department", "person"), hint="按核查结果从下拉框中选择。"),
        Column("department", "责任部门", 16, editable=True, choices="departments", needs=("measure", "person"),
               hint="从下拉框中选择。"),
        Column("person", "责任人", 10, editable=True, kind="names", needs=("measure", "department"),
               hint="责任人姓名。"),
        Column("schooling", "就读形式", 14, editable=True, choices="schooling", depends="category",
               needs=("date", "carer"), hint="复学后从下拉框中选择；未复学的留空。"),
        Column("date", "复学日期", 13, editable=True, kind="date", needs=("schooling", "carer"),
               hint="如 2019-02-26；未复学的留空。"),
        Column("carer", "一对一关爱人", 12, editable=True, kind="names", needs=("schooling", "date"),
               hint="每名复学儿童须有一对一关爱人。"),
        Column("school", "就读学校、班级", 20, editable=True, needs=("schooling",), may_lack=True,
               hint="如 第三小学五年级二班；未复学的留空。"),
    ),
    footer=FOOTER,
    notes=(
        _KEEP,
        "二、逐人填写劝返措施、责任部门、责任人；措施按核查结果从下拉框中选择。",
        "三、已复学的，再填就读形式、复学日期、一对一关爱人（三项齐全）和就读学校、班级；未复学的四项留空。",
        "四、送教上门且已注册学籍的视为复学。",
        f"五、{_SEND}",
    ),
    sign="责任人签字：＿＿＿＿＿＿＿＿　负责人签字：＿＿＿＿＿＿＿＿",
)  # fmt: skip

_DECIDED = (Column("officer", "经办人", 12), Column("date", "日期", 12))

UNASSIGNED = Form(
    key="unassigned",
    sheet="待分配",
    title="{county}名单中户籍地对不上单位的儿童（由人确定）",
    columns=(
        Column("row", "名单行号（不要删除）", 10),
        Column("serial", "原始序号", 10),
        Column("name", "姓名", 10),
        Column("household", "户籍地", 40),
        Column("candidates", "可能的单位", 24),
        Column("unit", "归属单位（选择下拉框）", 20, editable=True, choices="units",
               hint="从下拉框中选择负责核查的单位。"),
    ),
    footer=_DECIDED,
    notes=(
        _KEEP,
        "二、逐行选择负责核查的单位，填写经办人，保存后执行：build.py issue 名单.xlsx --assign 本文件",
    ),
    sign="经办人签字：＿＿＿＿＿＿＿＿",
)  # fmt: skip

EXCLUSIONS = Form(
    key="exclusions",
    sheet="排除",
    title="{county}名单中有问题的行（排除须经签字）",
    columns=(
        Column("row", "名单行号（不要删除）", 10),
        Column("serial", "原始序号", 10),
        Column("name", "姓名", 10),
        Column("fault", "问题", 44),
        Column("decision", "处理（选择下拉框）", 12, editable=True, choices="exclude",
               hint="选“排除”后该行不下发；留空则须改正名单。"),
        Column("reason", "理由", 24, editable=True, hint="排除的理由，如“与第 12 行为同一人”。"),
    ),
    footer=_DECIDED,
    notes=(
        _KEEP,
        "二、不下发的行选“排除”；重复的儿童只排除多余的一行。填写经办人，打印签字后保存，",
        "再执行：build.py issue 名单.xlsx --exclude 本文件。排除的人数计入“不漏一人”的核对。",
    ),
    sign="经办人签字：＿＿＿＿＿＿＿＿　科室负责人签字：＿＿＿＿＿＿＿＿",
)  # fmt: skip

#: Every form that can come back as a workbook, by key.
FORMS = {form.key: form for form in (ANNEX4, CORRECTIONS, CASES, UNASSIGNED, EXCLUSIONS)}

#: The name of the hidden sheet with the manifest: the form, issue and recipient that a workbook belongs to.
MANIFEST_SHEET = "fuxue"

#: The forms that are issued besides 附件4, which is issued from a list.
ISSUED_FORMS = (CORRECTIONS.key, CASES.key)
#: The issued values of a child that can be recorded as wrong, with the right value.
ISSUED_VALUES = ("name", "sex", "id_number", "household")
#: Papers in a case file: three steps taken towards a guardian (M17), what shows a return or an illness, and others.
PAPERS = {
    "criticism": "对监护人批评教育",
    "legal": "向监护人送达法律文书",
    "liability": "追究监护人责任",
    "enrolment": "就读证明",
    "medical": "医疗、残疾证明",
    "other": "其他材料",
}
#: What a signed paper can confirm (M11, M16): a visit, a return, a copy of the case file at the bureau or at the unit.
ACTS = ("verification", "return", "case-bureau", "case-unit")
