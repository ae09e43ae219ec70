"""What the site offers besides its pages: downloads and ready-made questions."""

from dataclasses import dataclass

from etl.publish.package import Download
from etl.publish.questions import Question


@dataclass(frozen=True)
class Offer:
    """Files of the newest release, ready-made questions, and the bytes that a browser loads for these (`engine`)."""

    files: tuple[Download, ...]
    questions: tuple[Question, ...]
    engine: int
