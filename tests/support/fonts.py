"""Whether this machine has a Chinese font to print with; the tests of printed documents need one."""

import pytest

from etl.findings import FuxueError
from etl.report.typesetting import fonts


def _has_fonts() -> bool:
    try:
        return bool(fonts())
    except FuxueError:
        return False


needs_fonts = pytest.mark.skipif(not _has_fonts(), reason="no Chinese font, e.g. Debian's fonts-noto-cjk")
