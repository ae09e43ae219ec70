"""A site's identity, filled in."""

import shutil
from pathlib import Path

from tests.support.sample_release import CAMPAIGN

FILLED = {
    "domain": "www.example.gov.cn",
    "id_code": "2102810001",
    "icp": "辽ICP备00000000号-1",
    "police": "辽公网安备 21028100000000号",
    "phone": "(0411) 0000-0000",
    "email": "office@example.gov.cn",
    "address": "示例路 1 号",
}


def filled(folder: Path, **changed: str) -> Path:
    """A campaign folder whose site is filled in with examples."""
    shutil.copytree(CAMPAIGN, folder)
    path = folder / "site.toml"
    text = path.read_text(encoding="utf-8")
    for name, value in {**FILLED, **changed}.items():
        text = text.replace(f'{name} = ""', f'{name} = "{value}"')
    path.write_text(text, encoding="utf-8")
    return folder
