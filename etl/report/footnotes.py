"""Real footnotes in a Word document (ECMA-376, 17.11), for which python-docx has no function."""

from typing import Any

from docx.document import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.oxml import serialize_part_xml
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.text.paragraph import Paragraph

_KIND = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
_NOTE = """
<w:footnote {declared} w:id="{number}"><w:p>
  <w:r><w:rPr><w:vertAlign w:val="superscript"/><w:sz w:val="18"/></w:rPr><w:footnoteRef/></w:r>
  <w:r><w:rPr><w:rFonts w:eastAsia="宋体"/><w:sz w:val="18"/></w:rPr><w:t/></w:r>
</w:p></w:footnote>
"""
#: The first number that is not one of the two separators that Word wants.
_FIRST = 2


class Footnotes:
    """The footnotes of one document, in the order in which they are added; `finish` puts them into it."""

    def __init__(self, document: Document) -> None:
        self._document, self._count = document, 0
        self._root: Any = parse_xml(f"<w:footnotes {nsdecls('w')}/>")
        for number, kind in enumerate(("separator", "continuationSeparator")):
            self._root.append(
                parse_xml(
                    f'<w:footnote {nsdecls("w")} w:type="{kind}" w:id="{number}"><w:p><w:r><w:{kind}/></w:r></w:p>'
                    "</w:footnote>"
                )
            )

    def add(self, paragraph: Paragraph, text: str) -> None:
        """Refer, at the end of a paragraph so far, to a new footnote with this text."""
        number = str(self._count + _FIRST)
        self._count += 1
        run = paragraph.add_run()
        run.font.superscript = True
        reference = OxmlElement("w:footnoteReference")
        reference.set(qn("w:id"), number)
        run._r.append(reference)
        note: Any = parse_xml(_NOTE.format(declared=nsdecls("w"), number=number))
        (content,) = note.iter(qn("w:t"))
        content.text = f" {text}"
        content.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        self._root.append(note)

    def finish(self) -> None:
        """Put the footnotes into the document."""
        package = self._document.part.package
        part = Part(PackURI("/word/footnotes.xml"), _KIND, serialize_part_xml(self._root), package)
        self._document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
