"""An index of another generation is refused with words, and the service says that it is not ready (C39)."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from corpus.errors import CorruptSnapshot, ParamsMismatch
from corpus.index.blocks import MANIFEST
from corpus.index.catalog import Catalog
from corpus.params import DEFAULT, Params
from tests.figures import Figure
from tests.reliability.cluster import Cluster


def other(value: Any) -> Any:
    return value + "x" if isinstance(value, str) else value * 2 + 1


def resealed(catalog: Catalog, **facts: Any) -> None:
    """The published snapshot with other facts in its manifest, sealed as a writer would."""
    old = catalog.snapshots_root / str(catalog.current())
    manifest = json.loads((old / MANIFEST).read_text())
    files = manifest.pop("sealed")
    manifest.pop("content")
    manifest |= facts
    content = hashlib.sha256(json.dumps([manifest, files], sort_keys=True).encode()).hexdigest()
    text = json.dumps({**manifest, "content": content, "sealed": files}, indent=1, sort_keys=True)
    folder = catalog.snapshots_root / content[:16]
    old.rename(folder)
    (folder / MANIFEST).write_text(text)
    (catalog.data / "CURRENT").write_text(content[:16] + "\n")


@pytest.mark.check("C39")
@pytest.mark.timeout(600)
def test_other_generations_are_refused(
    corpus: Path, tmp_path: Path, cluster: Callable[..., Cluster], figure: Figure
) -> None:
    refused = 0
    for field in fields(Params):  # k, w, permutations, seed, scheme, bands, …: each number of a sketch
        strange = replace(DEFAULT, **{field.name: other(getattr(DEFAULT, field.name))})
        with pytest.raises(ParamsMismatch, match="Index the releases again") as told:
            Catalog(corpus, strange).open()
        assert DEFAULT.digest in told.value.message
        assert strange.digest in told.value.message
        refused += 1
    for name, value in (("format", -1), ("format", "2"), ("params", "0" * 16)):
        shutil.copytree(corpus, tmp_path / f"{name}{value}")
        mine = Catalog(tmp_path / f"{name}{value}")
        resealed(mine, **{name: value})
        with pytest.raises(ParamsMismatch, match=str(value)):
            mine.open()
        refused += 1
    shutil.copytree(corpus, tmp_path / "order")
    mine = Catalog(tmp_path / "order")
    victim = next((mine.snapshots_root / str(mine.current())).glob("lsh*"))
    victim.write_bytes(victim.read_bytes()[::-1])  # the other byte order is other content
    with pytest.raises(CorruptSnapshot):
        mine.open(verify=True)
    refused += 1
    figure("C39", "mismatches refused with a message that offers to rebuild", refused, at_least=12)

    one = cluster("embedded")
    shutil.copytree(corpus, tmp_path / "served")
    mine = Catalog(tmp_path / "served")
    resealed(mine, params="0" * 16)
    one.stop("api")
    one.more["WHENCE_DATA_DIR"] = str(mine.data)
    one.start("api")
    with one.client(None, timeout=30) as anybody:
        answer = None
        for _ in range(600):
            try:
                answer = anybody.get("/readyz")
                break
            except httpx2.TransportError:
                time.sleep(0.2)
        assert answer is not None
        assert anybody.get("/livez").status_code == 200
    figure("C39", "/readyz of a service with such an index", answer.status_code, exactly=503)
