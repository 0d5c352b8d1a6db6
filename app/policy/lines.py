"""Where the keys and array elements of a TOML text stand: tomllib does not say. One linear pass.

`positions(text)` maps a path such as `("tool", "whence", "deny", 2)` to its 1-based line. The text has
been read by tomllib before, so the scan may take its grammar for granted.
"""

from __future__ import annotations

import tomllib

Path = tuple[str | int, ...]


def positions(text: str) -> dict[Path, int]:
    """Lines of keys, of elements of arrays that are values, and of `[[tables]]` by their number."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.table: Path = ()
        self.counts: dict[Path, int] = {}
        self.found: dict[Path, int] = {}

    def run(self) -> dict[Path, int]:
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in " \t\r\n":
                self.step()
            elif char == "#":
                self.skip_comment()
            elif char == "[":
                self.header()
            else:
                key = self.key("=")
                self.found.setdefault((*self.table, *key), self.line)
                self.step()
                self.value((*self.table, *key))
        return self.found

    def step(self) -> None:
        if self.text[self.at] == "\n":
            self.line += 1
        self.at += 1

    def skip_comment(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end

    def header(self) -> None:
        many = self.text.startswith("[[", self.at)
        line = self.line
        self.at += 2 if many else 1
        path: Path = self.key("]")
        self.at += 2 if many else 1
        path = self.numbered(path)
        if many:
            number = self.counts.get(path, -1) + 1
            self.counts[path] = number
            path = (*path, number)
        self.table = path
        self.found.setdefault(path, line)

    def numbered(self, path: Path) -> Path:
        """The path with the number of the last `[[table]]` after each proper prefix that is one."""
        full: Path = ()
        for position, part in enumerate(path):
            full = (*full, part)
            if position < len(path) - 1 and full in self.counts:
                full = (*full, self.counts[full])
        return full

    def key(self, end: str) -> Path:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] != end:
            if self.text[self.at] in "\"'":
                self.string()
            else:
                self.step()
        dotted = self.text[start : self.at].strip()
        if "." not in dotted and '"' not in dotted and "'" not in dotted:
            return (dotted,)
        parts: list[str | int] = []
        nested: object = tomllib.loads(f"{dotted} = 0")
        while isinstance(nested, dict):
            name, nested = next(iter(nested.items()))
            parts.append(name)
        return tuple(parts)

    def value(self, path: Path) -> None:
        """Passes over one value; records the elements of an array at its first level."""
        depth = 0
        expecting, number = False, 0
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "#":
                self.skip_comment()
                continue
            if char == "\n" and depth == 0:
                return
            if char in " \t\r\n":
                self.step()
                continue
            if expecting and depth == 1 and char != "]":
                self.found[(*path, number)] = self.line
                expecting, number = False, number + 1
            if char in "\"'":
                self.string()
                continue
            if char in "[{":
                expecting = depth == 0 and char == "["
                depth += 1
            elif char in "]}":
                depth -= 1
            elif char == "," and depth == 1 and number:
                expecting = True
            self.step()

    def string(self) -> None:
        quote = self.text[self.at]
        mark = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(mark)
        while self.at < len(self.text) and not self.text.startswith(mark, self.at):
            if self.text[self.at] == "\\" and quote == '"' and self.at + 1 < len(self.text):
                self.step()
            self.step()
        self.at += len(mark)
        while len(mark) == 3 and self.at < len(self.text) and self.text[self.at] == quote:
            self.at += 1
