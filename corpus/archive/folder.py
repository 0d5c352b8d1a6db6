"""Entries of a plain folder: no link is followed, no other file system entered, no device opened.

Every name is opened relative to its folder's descriptor, so that a folder replaced by a link while
it is read leads nowhere else.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from corpus.archive.limits import Account, Entry, Unreadable

_PIECE = 256 * 1024
_VERSION_CONTROL = {b".git", b".hg", b".svn", b".bzr", b"_darcs", b"CVS"}
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def entries(root: Path, account: Account) -> Iterator[Entry]:
    """Files below `root` in the order of their names. Raises OSError when `root` cannot be opened."""
    top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    open_folders = [top]
    waiting = [(b"", _names(top))]
    device = os.fstat(top).st_dev
    try:
        while waiting:
            prefix, names = waiting[-1]
            if not names:
                waiting.pop()
                os.close(open_folders.pop())
                continue
            name = names.pop()
            account.add_member()
            reason, partial, folder = _examine(name, open_folders, device, account.limits.path_levels)
            if reason:
                yield Entry(prefix + name, reason, partial)
            elif folder is not None:
                open_folders.append(folder)
                waiting.append((prefix + name + b"/", _names(folder)))
            else:
                yield Entry(prefix + name, content=_content(name, open_folders[-1], device, account))
    finally:
        for descriptor in open_folders:
            os.close(descriptor)


def _names(folder: int) -> list[bytes]:
    """Last name first, to be popped."""
    return sorted((os.fsencode(name) for name in os.listdir(folder)), reverse=True)


def _examine(name: bytes, open_folders: list[int], device: int, levels: int) -> tuple[str, bool, int | None]:
    """(reason to skip, partial, descriptor if it is a folder)."""
    try:
        status = os.stat(name, dir_fd=open_folders[-1], follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            return "symbolic link", False, None
        if stat.S_ISDIR(status.st_mode):
            if name in _VERSION_CONTROL:
                return "version control data", False, None
            if status.st_dev != device:
                return "on another file system", True, None
            if len(open_folders) >= levels:
                return f"path of more than {levels} levels", True, None
            return "", False, os.open(name, _OPEN_FOLDER, dir_fd=open_folders[-1])
        if not stat.S_ISREG(status.st_mode):
            return "device", False, None
    except OSError:
        return "cannot be opened", True, None
    return "", False, None


def _content(name: bytes, folder: int, device: int, account: Account) -> Iterator[bytes]:
    try:
        descriptor = os.open(name, _OPEN_FILE, dir_fd=folder)
    except OSError:
        raise Unreadable("cannot be opened") from None
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_dev != device:
            raise Unreadable("changed while it was read")
        try:
            while piece := file.read(_PIECE):
                account.add_unpacked(len(piece))
                yield piece
        except OSError:
            raise Unreadable("cannot be read") from None
