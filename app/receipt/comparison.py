"""Whether a receipt is about a given change: its regions against those of a diff. Pure."""

from __future__ import annotations

from app.receipt.body import Body, added_runs
from app.scan.diff import Diff

MOST = 20


def differences(body: Body, change: Diff) -> list[str]:
    """What the receipt and the change do not share, as sentences; [] when it is about this change.

    Regions in files that the receipt names as not searched need not be in it.
    """
    said = {(r.path, r.start_line, r.end_line): r.sha256 for r in body.regions}
    left_out = {skip.path for skip in body.not_searched}
    found: list[str] = []
    for path, first, last, digest in added_runs(change):
        stated = said.pop((path, first, last), None)
        if stated is None and path not in left_out:
            found.append(f"{path}:{first}-{last} of the change is not in the receipt.")
        elif stated is not None and stated != digest:
            found.append(f"{path}:{first}-{last} has other text than what was searched.")
    found += [f"{path}:{first}-{last} of the receipt is not in the change." for path, first, last in said]
    if len(found) > MOST:
        found = [*found[:MOST], f"and {len(found) - MOST:,} more differences"]
    return found
