"""What the site offers besides its pages: files to take away, and questions to ask."""

from dataclasses import dataclass

from etl.publish.package import Download
from etl.publish.questions import Question


@dataclass(frozen=True)
class Offer:
    """Files of the newest release, ready-made questions, and how many bytes asking them in the browser loads."""

    files: tuple[Download, ...]
    questions: tuple[Question, ...]
    engine: int
