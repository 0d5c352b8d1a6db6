"""Receipts: the same search gives the same body; one altered byte fails; keys are private and made once."""

from __future__ import annotations

import json
import os
import random
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from markdown_it import MarkdownIt

from app.receipt.body import Body, body_of
from app.receipt.canonical import canonical
from app.receipt.comparison import differences
from app.receipt.markdown import render
from app.receipt.signature import (
    KEY_NAME,
    BadReceipt,
    local_key,
    read_private_key,
    read_public_key,
    sign,
    verify,
)
from app.report.model import Report
from app.scan.diff import Diff, read_diff
from corpus.errors import BadInput
from tests.app.report import samples

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
AT = "2026-11-25T12:00:00Z"
FACTS = {"segments": [{"purl": "pkg:pypi/b@1", "content": "22"}, {"purl": "pkg:pypi/a@1", "content": "11"}]}


def change_of(report: Report) -> Diff:
    """A diff that adds the lines of every finding, and one more region."""
    text = ""
    for finding in report.findings:
        first, last = finding.region.start_line, finding.region.end_line
        lines = "".join(f"+line {n}\n" for n in range(first, last + 1))
        path = finding.region.path
        text += f"--- a/{path}\n+++ b/{path}\n@@ -{first - 1},0 +{first},{last - first + 1} @@\n{lines}"
    text += "--- a/other.py\n+++ b/other.py\n@@ -1,1 +1,3 @@\n+first\n same\n+third\n"
    return read_diff(text.encode())


def body(case: str = "findings") -> Body:
    report = samples.CASES[case]
    return body_of(report, change_of(report), FACTS)


def test_a_receipt_is_read_as_it_was_signed() -> None:
    receipt = verify(sign(body(), KEY, AT))
    assert receipt.body == body()
    assert receipt.signed.at == AT


@pytest.mark.parametrize("case", samples.CASES)
def test_the_same_search_gives_the_same_body(case: str) -> None:
    assert canonical(body(case).to_dict()) == canonical(body(case).to_dict())
    # The key and the time are no part of it.
    other = Ed25519PrivateKey.generate()
    again = verify(sign(body(case), other, "2027-01-01T00:00:00Z"))
    assert again.body.digest == body(case).digest


def test_every_altered_byte_fails() -> None:
    data = sign(body(), KEY, AT)
    choose = random.Random(1)
    # Each byte once, by a bit or another printable character; all are covered.
    for at in range(len(data)):
        altered = bytearray(data)
        altered[at] = altered[at] ^ 1 if choose.random() < 0.5 else choose.choice(b'0123456789abcdef ,"}')
        if altered == data:
            altered[at] ^= 2
        with pytest.raises(BadReceipt):
            verify(bytes(altered))


CHANGES: list[Callable[[bytes], bytes]] = [
    lambda data: data[:-1],
    lambda data: data + b"\n",
    lambda data: b" " + data,
    lambda data: data[1:],
    lambda data: b"",
    lambda data: data.replace(b'","', b'", "', 1),
    lambda data: json.dumps(json.loads(data)).encode() + b"\n",
]


@pytest.mark.parametrize("change", CHANGES)
def test_added_lost_or_reformatted_bytes_fail(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BadReceipt):
        verify(change(sign(body(), KEY, AT)))


def test_a_signature_of_the_bare_text_is_not_one_of_a_receipt() -> None:
    statement = json.loads(sign(body(), KEY, AT))
    del statement["signature"]
    forged = {**statement, "signature": KEY.sign(canonical(statement)).hex()}
    with pytest.raises(BadReceipt, match="does not fit"):
        verify(canonical(forged) + b"\n")


@pytest.mark.parametrize("field", ["engine", "regions", "findings", "status"])
def test_a_signed_body_that_is_none_is_refused_by_the_name_of_the_field(field: str) -> None:
    broken = body().to_dict()
    broken[field] = 7
    signed = {"algorithm": "Ed25519", "at": AT, "public_key": KEY.public_key().public_bytes_raw().hex()}
    statement = {"body": broken, "signed": signed}
    signature = KEY.sign(b"whence receipt 1\n" + canonical(statement)).hex()
    with pytest.raises(BadReceipt, match=field):
        verify(canonical({**statement, "signature": signature}) + b"\n")


def test_whose_key_it_was_can_be_asked() -> None:
    data = sign(body(), KEY, AT)
    mine = KEY.public_key().public_bytes_raw().hex()
    assert verify(data, mine).signed.public_key == mine
    with pytest.raises(BadReceipt, match="another key"):
        verify(data, Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex())


def test_no_text_of_the_change_is_in_it() -> None:
    assert b"line 30" not in sign(body(), KEY, AT)
    assert b"third" not in sign(body(), KEY, AT)


def test_regions_tell_their_findings_and_those_without_stay() -> None:
    by_path = {(region.path, region.start_line): region.findings for region in body().regions}
    assert by_path["fracutil/approx.py", 27] == ("glpk-translated-0f1e2d",)
    assert by_path["other.py", 1] == by_path["other.py", 3] == ()


def test_files_that_were_not_searched_are_no_regions() -> None:
    report = samples.report(skipped=(samples.Skipped("other.py", "excluded by the policy", False),))
    made = body_of(report, change_of(report), FACTS)
    assert "other.py" not in {region.path for region in made.regions}
    assert made.not_searched[0].path == "other.py"
    assert differences(made, change_of(report)) == []


def test_the_list_of_releases_is_named_whatever_its_order() -> None:
    report = samples.CASES["findings"]
    turned = {"segments": FACTS["segments"][::-1]}
    assert body_of(report, change_of(report), turned) == body()
    other = {"segments": [*FACTS["segments"][:1], {"purl": "pkg:pypi/a@1", "content": "12"}]}
    assert body_of(report, change_of(report), other).index.releases_sha256 != body().index.releases_sha256


def test_another_change_differs_in_sentences() -> None:
    change = change_of(samples.CASES["findings"])
    assert differences(body(), change) == []
    text = "--- a/other.py\n+++ b/other.py\n@@ -1,1 +1,3 @@\n+first\n same\n+THIRD\n+fourth\n"
    found = differences(body(), read_diff(text.replace("+1,3", "+1,4").encode()))
    assert "other.py:3-4 of the change is not in the receipt." in found
    assert "other.py:3-3 of the receipt is not in the change." in found
    edited = read_diff(b"--- a/other.py\n+++ b/other.py\n@@ -1,1 +1,3 @@\n+First\n same\n+third\n")
    assert "other.py:1-1 has other text than what was searched." in differences(body(), edited)


def test_the_markdown_form_is_short_and_hostile_texts_stay_inert() -> None:
    for text in samples.HOSTILE:
        report = samples.hostile(text)
        shown = render(verify(sign(body_of(report, Diff(), FACTS), KEY, AT)))
        assert len(shown.encode()) < 8_000
        tokens = [
            t
            for block in MarkdownIt("commonmark").enable("table").parse(shown)
            for t in (block, *(block.children or ()))
        ]
        assert {t.content for t in tokens if t.type == "html_inline"} == {"<sub>", "</sub>"}
        assert not {t.type for t in tokens} & {"html_block", "link_open", "image"}
        assert "\x1b" not in shown
    assert len(render(verify(sign(body(), KEY, AT))).encode()) < 3_000


def test_the_local_key_is_made_once_and_private(tmp_path: Path) -> None:
    made: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: made.append(local_key(tmp_path / "d").private_bytes_raw()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
    path = tmp_path / "d" / KEY_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path / "d") == [KEY_NAME]
    path.chmod(0o640)
    with pytest.raises(BadInput, match="chmod 600"):
        read_private_key(path)


def test_other_files_are_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "k"
    path.write_bytes(b"hello")
    path.chmod(0o600)
    with pytest.raises(BadInput, match="not an Ed25519"):
        read_private_key(path)
    with pytest.raises(BadInput, match="cannot be read"):
        read_private_key(tmp_path / "none")
    for text in (b"", b"zz", b"ab" * 31, b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"):
        with pytest.raises(BadInput, match="neither 64 hex digits"):
            read_public_key(text)


def test_without_the_library_the_extra_is_named(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from app.receipt.signature import local_key\n"
        "from pathlib import Path\n"
        "try:\n local_key(Path(sys.argv[1]))\nexcept Exception as error:\n print(error.message)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "a signed receipt needs an optional part: pip install 'whence[receipt]'"
