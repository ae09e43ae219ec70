"""Shows which documents were written, without anything personal."""

from collections.abc import Sequence

from etl.check.county_forms import RollupFault
from etl.cli import console
from etl.cli.show import empty_table
from etl.rulebook.campaign import Campaign
from etl.workflow.documents import Document
from etl.workflow.texts import text


def show_documents(campaign: Campaign, made: Sequence[Document]) -> None:
    """The folder, the number of files, and which characters must be written in by hand where."""
    for one in made:
        if one.missing:
            codes = "、".join(f"U+{ord(character):04X}" for character in one.missing)
            console.say("document.glyphs", file=one.file.name, characters=codes)
    if made:
        folders = sorted({str(one.file.parent) for one in made})
        whose = {campaign.recipient_name(one.scope) for one in made}
        console.say("document.written", count=len(made), scopes=len(whose), folder="、".join(folders))
    else:
        console.say("document.nothing")
    files = [{"scope": one.scope, "file": str(one.file), "missing": len(one.missing)} for one in made]
    console.result("documents", documents=files)


def show_rollup_faults(faults: Sequence[RollupFault]) -> None:
    """Which file of which place breaks what, at which cell, and how to mend it."""
    if console.wants_json():
        console.result("rollup", faults=[{**vars(one), "message": text(one.key, "en", **one.params)} for one in faults])
        return
    table = empty_table("文件", "表", "单元格", "地方", "问题")
    for one in faults:
        cells = (one.file, one.sheet, one.cell, one.place, text(one.key, **one.params))
        table.add_row(*map(console.escape_markup, cells))
    console.show(table, always=True)
    console.say("rollup.refused", count=len(faults))
