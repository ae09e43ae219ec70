"""Debian's browser, and how it is started. The build without windows is the same browser and starts twice as fast."""

import shutil

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or ""


QUIET = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
