"""Debian's browser, and how it is started."""

import shutil

CHROMIUM = shutil.which("chromium") or ""


QUIET = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
