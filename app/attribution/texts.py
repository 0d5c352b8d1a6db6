"""Texts of licences: from the data of scancode where that is installed, else where to read them.

The data is read as files; nothing of scancode is imported here.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

MAX_TEXT = 400_000


def license_text(license_id: str) -> str:
    """The text of a licence by its SPDX id; where it is not at hand, one sentence on where it stands."""
    folder, key = _folder(), _keys().get(license_id.lower(), "")
    if folder is not None and key:
        path = folder / f"{key}.LICENSE"
        if path.is_file() and path.stat().st_size <= MAX_TEXT and (text := _after_matter(path)):
            return text
    if license_id.startswith("LicenseRef-"):
        return "The text of this licence stands in the release that the code is similar to."
    return f"The text of this licence: https://spdx.org/licenses/{license_id}.html"


def _after_matter(path: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="replace")
    if text.startswith("---\n"):
        text = text.partition("\n---\n")[2]
    return text.strip("\n")


@lru_cache(maxsize=1)
def _folder() -> Path | None:
    spec = find_spec("licensedcode")
    places = spec.submodule_search_locations if spec else None
    folder = Path(next(iter(places))) / "data" / "licenses" if places else None
    return folder if folder is not None and folder.is_dir() else None


@lru_cache(maxsize=1)
def _keys() -> dict[str, str]:
    """SPDX id in lower case → scancode's key."""
    from license_expression import get_license_index

    keys: dict[str, str] = {}
    for record in get_license_index():
        for name in (record["spdx_license_key"], *record["other_spdx_license_keys"], record["license_key"]):
            if name and (not record["is_deprecated"] or name.lower() not in keys):
                keys.setdefault(name.lower(), record["license_key"])
    return keys
