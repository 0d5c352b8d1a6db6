"""Whether a receipt is about a given change: its regions against those of a diff. Pure."""

from __future__ import annotations

from app.receipt.body import Body, added_runs
from app.scan.diff import Diff

MOST = 20


def differences(body: Body, change: Diff) -> list[str]:
    """What the receipt and the change do not share, as sentences; [] when it is about this change.

    Regions in files that the receipt names as not searched need not be in it.
    """
    # A series of patches can add the same lines of a file more than once: digests in the order of the series.
    said: dict[tuple[str, int, int], list[str]] = {}
    for region in body.regions:
        said.setdefault((region.path, region.start_line, region.end_line), []).append(region.sha256)
    left_out = {skip.path for skip in body.not_searched}
    found: list[str] = []
    for path, first, last, digest in added_runs(change):
        stated = said.get((path, first, last))
        if not stated:
            if path not in left_out:
                found.append(f"{path}:{first}-{last} of the change is not in the receipt.")
        elif stated.pop(0) != digest:
            found.append(f"{path}:{first}-{last} has other text than what was searched.")
    for (path, first, last), digests in said.items():
        found += [f"{path}:{first}-{last} of the receipt is not in the change."] * len(digests)
    if len(found) > MOST:
        found = [*found[:MOST], f"and {len(found) - MOST:,} more differences"]
    return found
