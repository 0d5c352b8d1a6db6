"""Transfers: resumption, retries, limits, addresses, and two processes at once."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import BadPurl, DigestMismatch, NotInRegistry, SourceError
from corpus.sources import SourceSettings, fetch
from corpus.sources.client import is_public, public_address
from corpus.sources.download import Downloader, Wanted, page_url, shown
from corpus.sources.store import Store
from tests.corpus.sources.registry_server import Registry

BODY = random.Random(1).randbytes(3_000_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
PURL = "pkg:generic/x@1"


def download(registry: Registry, settings: SourceSettings, cache: Path, **wanted: object) -> bytes:
    announced = {"digests": {"sha256": SHA256}, "size": len(BODY)} | wanted
    with Downloader(PURL, Store(cache), settings) as downloader:
        file = Wanted(f"{registry.url}/file", "file", **announced)  # type: ignore[arg-type]
        return downloader.fetch(file).path.read_bytes()


@pytest.mark.parametrize("validators", [True, False])
def test_a_cut_transfer_is_resumed(
    registry: Registry, settings: SourceSettings, cache: Path, validators: bool
) -> None:
    registry.files["/file"] = BODY
    registry.validators = validators
    registry.faults["/file"] = [("cut", 1_000_000), ("cut", 500_000)]
    assert download(registry, settings, cache) == BODY
    ranges = [headers.get("range") for headers in registry.asked_for("/file")]
    assert ranges[0] is None
    assert len(ranges) == 3
    assert all(value is not None for value in ranges[1:])
    assert int(str(ranges[2])[6:-1]) > int(str(ranges[1])[6:-1]) > 0
    assert all(("if-range" in headers) == validators for headers in registry.asked_for("/file")[1:])
    assert not list((cache / "parts").iterdir())


def test_a_later_run_resumes(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.files["/file"] = BODY
    registry.faults["/file"] = [("cut", 2_000_000)]
    with pytest.raises(SourceError, match="could not be fetched"):
        download(registry, replace(settings, retries=0), cache)
    kept = next((cache / "parts").glob("*.part")).stat().st_size
    assert kept > 0
    assert download(registry, settings, cache) == BODY
    assert registry.asked_for("/file")[1]["range"] == f"bytes={kept}-"


def test_a_file_that_changed_meanwhile_is_fetched_whole(
    registry: Registry, settings: SourceSettings, cache: Path
) -> None:
    registry.files["/file"] = BODY[::-1]
    registry.faults["/file"] = [("cut", 2_000_000)]
    with pytest.raises(SourceError):
        download(registry, replace(settings, retries=0), cache)
    registry.files["/file"] = BODY
    assert download(registry, settings, cache) == BODY


def test_a_changed_file_without_validators_is_found_by_its_digest(
    registry: Registry, settings: SourceSettings, cache: Path
) -> None:
    registry.validators = False
    registry.files["/file"] = BODY[::-1]
    registry.faults["/file"] = [("cut", 2_000_000)]
    with pytest.raises(SourceError):
        download(registry, replace(settings, retries=0), cache)
    registry.files["/file"] = BODY
    assert download(registry, settings, cache) == BODY


def test_a_server_without_ranges(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.ranges = False
    registry.files["/file"] = BODY
    registry.faults["/file"] = [("cut", 1_000_000)]
    assert download(registry, settings, cache) == BODY


def test_a_part_longer_than_the_file(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.files["/file"] = BODY + BODY
    registry.faults["/file"] = [("cut", len(BODY) + 1000)]
    with pytest.raises(SourceError):
        download(registry, replace(settings, retries=0), cache, size=None)
    registry.files["/file"] = BODY
    registry.validators = False
    assert download(registry, settings, cache, size=None) == BODY


def test_transient_answers_are_tried_again(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.files["/file"] = BODY
    registry.faults["/file"] = [503, 429, 502]
    assert download(registry, settings, cache) == BODY
    registry.files["/file"] = BODY[1:]
    registry.faults["/file"] = [503] * 9
    with pytest.raises(SourceError, match="503"):
        download(registry, settings, cache, digests={}, size=None)
    assert len(registry.asked_for("/file")) == 4 + settings.retries + 1


def test_final_answers_are_not_tried_again(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    for status, kind in ((404, NotInRegistry), (410, NotInRegistry), (403, SourceError), (418, SourceError)):
        registry.requests.clear()
        registry.faults["/file"] = [status]
        with pytest.raises(kind):
            download(registry, settings, cache)
        assert len(registry.requests) == 1


def test_nobody_there(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.close()
    with pytest.raises(SourceError, match="ConnectError"):
        download(registry, replace(settings, retries=1), cache)


def test_an_endless_body_hits_the_limit(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.faults["/file"] = ["endless", "endless"]
    small = replace(settings, max_bytes=1_000_000)
    with pytest.raises(SourceError, match="larger than the limit of 1000000 bytes"):
        download(registry, small, cache, size=None)
    assert not list((cache / "parts").iterdir())
    with (
        Downloader(PURL, Store(cache), settings) as downloader,
        pytest.raises(SourceError, match="larger than the limit"),
    ):
        downloader.read(f"{registry.url}/file", 100_000)
    with pytest.raises(SourceError, match="larger than the limit"):
        download(registry, small, cache, size=2_000_000)


def test_more_bytes_than_announced(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.files["/file"] = BODY
    with pytest.raises(SourceError, match="1000 were announced"):
        download(registry, settings, cache, size=1000)


def test_time_is_limited(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.files["/file"] = BODY
    with pytest.raises(SourceError, match="longer than 0 seconds"):
        download(registry, replace(settings, max_seconds=0), cache)


def test_redirects_are_followed_a_while(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.files["/file"] = registry.files["/there"] = BODY
    registry.faults["/file"] = [("redirect", f"{registry.url}/there")]
    assert download(registry, settings, cache) == BODY
    registry.faults["/loop"] = [("redirect", f"{registry.url}/loop")] * 9
    with Downloader(PURL, Store(cache), settings) as downloader:
        with pytest.raises(SourceError, match="redirects too often"):
            downloader.read(f"{registry.url}/loop", 10)
        registry.faults["/away"] = [("redirect", "file:///etc/passwd")]
        with pytest.raises(SourceError, match="cannot be fetched"):
            downloader.read(f"{registry.url}/away", 10)


def test_progress_tells_name_and_bytes(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.files["/file"] = BODY
    seen: list[tuple[str, int, int | None]] = []
    with Downloader(PURL, Store(cache), settings, lambda *report: seen.append(report)) as downloader:
        downloader.fetch(Wanted(f"{registry.url}/file", "file", {"sha256": SHA256}))
    assert seen[-1] == ("file", len(BODY), len(BODY))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_messages_hide_passwords(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    assert shown("https://me:secret@h.example/a?token=x#y") == "https://h.example/a"
    url = registry.url.replace("http://", "http://me:secret@")
    with Downloader(PURL, Store(cache), settings) as downloader, pytest.raises(NotInRegistry) as caught:
        downloader.read(f"{url}/none?token=secret", 10)
    assert "secret" not in str(caught.value)


def test_a_weak_or_wrong_digest(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.files["/file"] = BODY
    with pytest.raises(DigestMismatch):
        download(registry, settings, cache, digests={"sha512": "0" * 128, "sha256": SHA256})
    assert not list((cache / "parts").glob("*.part"))


def test_abandoned_transfers_are_swept(cache: Path) -> None:
    parts = cache / "parts"
    Store(cache)
    for name, age in (("old.part", 8), ("new.part", 6)):
        (parts / name).write_bytes(b"x")
        os.utime(parts / name, (time.time() - age * 86400,) * 2)
    (parts / "scratch-old").mkdir()
    (parts / "scratch-old" / "file").write_bytes(b"x")
    os.utime(parts / "scratch-old", (1, 1))
    Store(cache)
    assert [path.name for path in parts.iterdir()] == ["new.part"]


def test_only_web_addresses_are_links() -> None:
    assert page_url("https://h.example/a") == "https://h.example/a"
    for value in (
        "javascript:alert(1)",
        "https://h.example/\x1b",
        "https://h.example/ x",
        None,
        7,
        "http://" + "x" * 3000,
    ):
        assert page_url(value) == ""


# ---- addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
     "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
     "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "::7f00:1", "fec0::1", "2001:0:53aa:64c::1",
     "2002:7f00:1::", "ff02::1", "nonsense"],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_public_addresses() -> None:
    assert is_public("9.9.9.9")
    assert is_public("2620:fe::fe")
    assert public_address("9.9.9.9", 443) == "9.9.9.9"
    assert public_address("localhost", 443) is None
    assert public_address("2130706433", 443) is None


def test_public_only_keeps_to_public_addresses(
    registry: Registry, settings: SourceSettings, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    registry.files["/file"] = BODY
    careful = replace(settings, public_only=True)
    with pytest.raises(SourceError, match="not a public address"):
        download(registry, careful, cache)
    assert registry.requests == []
    # The configured registry is trusted; where it redirects to is not.
    registry.faults["/file"] = [("redirect", registry.url.replace("127.0.0.1", "127.0.0.2") + "/there")]
    with Downloader(PURL, Store(cache), careful, trusted=("127.0.0.1",)) as downloader:
        with pytest.raises(SourceError, match="not a public address"):
            downloader.read(f"{registry.url}/file", 10)
        assert downloader.read(f"{registry.url}/file", len(BODY))[0] == BODY
    assert [path for path, _ in registry.requests] == ["/file", "/file"]


# ---- the release as a whole ------------------------------------------------------------------------


def test_types_that_nothing_fetches(settings: SourceSettings, cache: Path) -> None:
    with pytest.raises(BadPurl, match="cannot be fetched, only deb, pypi"):
        fetch("pkg:cargo/x@1", cache, settings)
    with pytest.raises(BadPurl, match="vcs_url"):
        fetch("pkg:generic/x@1", cache, settings)
    with pytest.raises(BadPurl, match="vcs_url"):
        fetch("pkg:github/a/b@1", cache, settings)


def test_a_cache_that_cannot_be_written(settings: SourceSettings, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(SourceError, match="cache"):
        fetch("pkg:pypi/x@1", tmp_path / "cache", settings)


def test_settings_from_the_environment() -> None:
    env = {
        "WHENCE_DEBIAN_MIRROR": "http://a.example/debian http://b.example/debian",
        "WHENCE_PYPI_INDEX": "https://c.example/simple",
        "WHENCE_NPM_REGISTRY": "https://d.example/ ",
    }
    settings = SourceSettings.from_environment(env)
    assert settings.debian_mirrors == ("http://a.example/debian", "http://b.example/debian")
    assert settings.pypi_indexes == ("https://c.example/simple",)
    assert settings.npm_registry == "https://d.example/"
    assert SourceSettings.from_environment({}) == SourceSettings()


_FETCH = """
import sys
from pathlib import Path
from corpus.sources import SourceSettings, fetch
settings = SourceSettings(npm_registry=sys.argv[1], backoff=0.01)
print(fetch("pkg:npm/left@1.0.0", Path(sys.argv[2]), settings).artifacts[0].sha256)
"""


def test_processes_that_fetch_the_same_release_share_one_transfer(registry: Registry, cache: Path) -> None:
    path = registry.add_npm("left", "1.0.0", BODY)
    command = [sys.executable, "-c", _FETCH, f"{registry.url}/npm", str(cache)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [child.communicate(timeout=60)[0].strip() for child in children]
    assert outputs == [SHA256] * 4
    assert len(registry.asked_for(path)) == 1
    assert (cache / SHA256[:2] / SHA256).read_bytes() == BODY
