"""Package URLs: one canonical form, and a reason for each refusal."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpus.errors import BadPurl
from corpus.purl import canonical, git_address, local_purl, package_name, parse, same_package

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("pkg:deb/debian/gsl@2.7.1+dfsg-5+deb12u1?arch=source",
         "pkg:deb/debian/gsl@2.7.1%2Bdfsg-5%2Bdeb12u1?arch=source"),
        ("  PKG:deb/debian/gsl@2.7.1%2bdfsg-5?arch=source ", "pkg:deb/debian/gsl@2.7.1%2Bdfsg-5?arch=source"),
        ("pkg:deb/debian/hello@1:2~rc1-3", "pkg:deb/debian/hello@1:2~rc1-3"),
        ("pkg:pypi/My_Pkg.X@1.0+local", "pkg:pypi/my-pkg.x@1.0%2Blocal"),
        ("pkg:npm/@scope/name@1.0.0", "pkg:npm/%40scope/name@1.0.0"),
        ("pkg:npm/%40scope/name@1.0.0", "pkg:npm/%40scope/name@1.0.0"),
        (f"pkg:generic/x?vcs_url=git+https://h.example/a/b.git@{COMMIT}",
         f"pkg:generic/x?vcs_url=git%2Bhttps://h.example/a/b.git%40{COMMIT}"),
        (f"pkg:github/Own/Repo@1.0?vcs_url=git%2Bhttps://h.example/a/b.git%40{COMMIT}",
         f"pkg:github/own/repo@1.0?vcs_url=git%2Bhttps://h.example/a/b.git%40{COMMIT}"),
    ],
)  # fmt: skip
def test_raw_and_canonical(raw: str, expected: str) -> None:
    assert canonical(raw) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    ("purl", "why"),
    [
        ("", "does not start"),
        ("chardet==5.2.0", "does not start"),
        ("pkg:", "type"),
        ("pkg:pypi", "type"),
        ("pkg:pypi/", "name"),
        ("pkg:pypi/chardet", "no version"),
        ("pkg:pypi/chardet@", "no version"),
        ("pkg:pypi/char det@1", "space"),
        ("pkg:pypi/chardet@1\n2", "control"),
        ("pkg:pypi/chardet@1%0a2", "control"),
        ("pkg:pypi/chardet@%00", "control"),
        ("pkg:pypi/chardet@1#sub/folder", "part of a release"),
        ("pkg:pypi/..@1", "cannot be a name"),
        ("pkg:npm/a%2Fb@1", "cannot be a name"),
        ("pkg:npm/a%5Cb@1", "cannot be a name"),
        ("pkg:pypi/x@..", "cannot be"),
        ("pkg:pypi/x@1%2F..%2F2", "cannot be"),
        ("pkg:deb/debian/x@1", "Debian allows"),
        ("pkg:deb/debian/hello@1 2", "space"),
        ("pkg:deb/debian/hello@v;x", "Debian allows"),
        ("pkg:generic/x?vcs_url=https://h.example/a", "git+"),
        ("pkg:generic/x?vcs_url=git+https://h.example/a", "full commit id"),
        ("pkg:generic/x?vcs_url=git+https://h.example/a@main", "full commit id"),
        (f"pkg:generic/x?vcs_url=git+ssh://h.example/a@{COMMIT}", "https://"),
        (f"pkg:generic/x?vcs_url=git+ext::sh%20-c@{COMMIT}", "https://"),
        (f"pkg:generic/x?vcs_url=git+--upload-pack=x@{COMMIT}", "https://"),
        (f"pkg:generic/x?vcs_url=git+http://h.example/a@{COMMIT}", "https://"),
        ("pkg:pypi/" + "x" * 5000 + "@1", "longer"),
    ],
)
def test_refusals_say_why(purl: str, why: str) -> None:
    with pytest.raises(BadPurl, match=why):
        canonical(purl)


_word = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)
_version = st.text(string.ascii_letters + string.digits + ".+~-_:@% é", min_size=1, max_size=16)


@given(_word, _version)
@example("a", "1+2")
def test_canonical_is_idempotent_and_escaping_does_not_matter(name: str, version: str) -> None:
    plain = (string.ascii_letters + string.digits).encode()
    escaped = "".join(chr(byte) if byte in plain else f"%{byte:02x}" for byte in version.encode())
    try:
        once = canonical(f"pkg:generic/{name}@{escaped}")
    except BadPurl:
        return
    assert canonical(once) == once
    assert parse(once).version == parse(f"pkg:generic/{name}@{escaped}").version
    if not set(version) & set("@% "):
        assert canonical(f"pkg:generic/{name}@{version}") == once


@given(st.text(max_size=60).map("pkg:{}".format) | st.text(max_size=60))
@example("pkg:a/b@\ud800")
@example("pkg:a/b@%ff%fe")
@example("pkg://[x/y@1")
def test_any_text_is_a_purl_or_is_refused(text: str) -> None:
    try:
        once = canonical(text)
    except BadPurl:
        return
    assert canonical(once) == once


def test_packages() -> None:
    assert package_name("pkg:npm/@scope/name@1.0.0") == "pkg:npm/%40scope/name"
    assert package_name("pkg:deb/debian/gsl@2.7.1+dfsg-5?arch=source") == "pkg:deb/debian/gsl"
    assert same_package("pkg:pypi/my_pkg@1", "pkg:pypi/My-Pkg@2")
    assert not same_package("pkg:pypi/gsl@1", "pkg:npm/gsl@1")


_file_name = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs", "Cc"]), max_size=30)


@given(_file_name)
@example("a b+c@é#?%25.tar.gz")
@example("\u3000")
def test_local_paths_survive(name: str) -> None:
    from urllib.parse import unquote, urlsplit

    if name in ("", ".", "..") or "\\" in name or {"\u2028", "\u2029"} & set(name):
        return
    purl = local_purl(f"/folder/{name}")
    assert canonical(purl) == purl
    assert unquote(urlsplit(parse(purl).qualifiers["download_url"]).path) == f"/folder/{name}"


def test_git_address() -> None:
    address = "https://user@h.example/a.git"
    assert git_address("p", f"git+{address}@{COMMIT}") == (address, COMMIT)
    assert git_address("p", f"git+file:///a b/c@{'0' * 64}") == ("file:///a b/c", "0" * 64)
