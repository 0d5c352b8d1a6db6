"""Problems of a policy's text that reading it does not refuse: for `whence policy check`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from app.policy.licenses import Leaf, canonical, categories, index, leaves, lookup, readable, tree
from app.policy.model import LISTS, BadPolicy, Entry, ListName, Policy
from app.policy.parse import parse


@dataclass(frozen=True, slots=True)
class Problem:
    """where: the place in the text. what: one sentence. suggestion: what may have been meant, or ""."""

    where: str
    what: str
    suggestion: str = ""


def problems(toml_text: str, where: str) -> list[Problem]:
    """Unknown names, contradictions and repetitions; a text that cannot be read is one problem."""
    try:
        policy = parse(toml_text, where)
    except BadPolicy as error:
        return [Problem(error.where, error.message.removeprefix(f"{error.where}: "))]
    return [*_names(policy), *_clashes(policy), *_waivers(policy)]


def _names(policy: Policy) -> Iterator[Problem]:
    if policy.outbound:
        yield from _in_expression(policy.outbound, f"outbound, {policy.where}")
    for name in LISTS:
        for entry in policy.entries(name):
            if entry.text == "no-license":
                continue
            if entry.text.startswith("category:"):
                category = entry.text.partition(":")[2].strip()
                known = {known.lower(): known for known in categories()} | {"unknown": "Unknown"}
                if category.lower() not in known:
                    near = difflib.get_close_matches(category.lower(), known, 1, 0.5)
                    yield Problem(
                        entry.where,
                        f"there is no category {category!r}",
                        f"category:{known[near[0]]}" if near else ", ".join(sorted(known.values())),
                    )
            else:
                yield from _in_expression(entry.text, entry.where)


def _in_expression(text: str, where: str) -> Iterator[Problem]:
    if not readable(text):
        yield Problem(where, f"{text!r} is not an SPDX expression", _suggestion(text))
        return
    for part in leaves(tree(text)):
        if not part.known and not part.license.startswith(("LicenseRef-", "DocumentRef-")):
            yield Problem(
                where, f"{part.license!r} is not a licence that the index knows", _suggestion(part.license)
            )
        elif part.exception and lookup(part.exception) is None:
            yield Problem(
                where,
                f"{part.exception!r} is not an exception that the index knows",
                _suggestion(part.exception),
            )
        elif part.bare_exception:
            yield Problem(
                where, f"{part.license} is an exception; it stands after WITH", f"… WITH {part.license}"
            )


def _suggestion(text: str) -> str:
    """The SPDX id that a person may have meant, or ""."""
    from corpus.licenses.names import from_name

    names = {alias: name.id for alias, name in index().items() if not name.id.startswith("LicenseRef-")}
    joined = "-".join(text.lower().split()).replace("_", "-")
    near = difflib.get_close_matches(joined, names, 1, 0.6)
    return names.get(joined) or from_name(text) or (names[near[0]] if near else "")


def _key(entry: Entry) -> str:
    return (
        entry.text.lower()
        if entry.text.startswith(("category:", "no-license"))
        else canonical(tree(entry.text))
    )


def _clashes(policy: Policy) -> Iterator[Problem]:
    seen: dict[str, tuple[ListName, Entry]] = {}
    for name in LISTS:  # in the order in which they are asked: the first one decides
        for entry in policy.entries(name):
            first_name, first = seen.setdefault(_key(entry), (name, entry))
            if first is entry:
                continue
            if first_name == name:
                yield Problem(entry.where, f"{entry.text} stands in {name} twice; first at {first.where}")
            else:
                yield Problem(
                    entry.where,
                    f"{entry.text} is in {name} and in {first_name} ({first.where}); {first_name} decides",
                    "remove one of them",
                )
    for name in LISTS[1:]:
        for entry in policy.entries(name):
            meant = tree(entry.text)
            if isinstance(meant, Leaf) and meant.exception:
                for deny in policy.deny:
                    if _key(deny) == meant.license:
                        yield Problem(
                            entry.where,
                            f"{entry.text} is in {name} although {deny.where} denies {deny.text}; "
                            "the more precise entry decides",
                        )


def _waivers(policy: Policy) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for waiver in policy.waivers:
        first = seen.setdefault(waiver.id, waiver.where)
        if first != waiver.where:
            yield Problem(waiver.where, f"finding {waiver.id} is accepted twice; first at {first}")
        if waiver.expires and waiver.expires < waiver.date:
            yield Problem(waiver.where, f"expires on {waiver.expires}, before it was made on {waiver.date}")
