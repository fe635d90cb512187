"""Pages as commits of a Git repository, with the `git` of this machine and whatever lets it in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from watchkeeper.adapters.knowledge import Shelf
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.incidents import Delivery

_PATIENCE = 60  # seconds that one of git's commands may take
_AUTHOR = (
    "-c",
    "user.name=watchkeeper",
    "-c",
    "user.email=watchkeeper@localhost",
    "-c",
    "commit.gpgsign=false",
)


class _GitSaysNoError(Exception):
    """What git said when it failed."""


def put(shelf: Shelf, page: str, text: str) -> Delivery:
    """Commit the page to the branch of the option `branch` at `url`, and push it.

    A clone of its own in the workspace is brought to the remote's state first, so that somebody else's
    commits in between are no conflict. Nothing is asked for: what needs a password fails.
    """
    clone = shelf.folder / "run" / "knowledge" / digest([shelf.options["url"]])[:16]
    branch = shelf.options.get("branch", "main")
    try:
        _refreshed(clone, shelf.options["url"], branch)
        FolderStore(clone).write(page, text.encode())
        _git(clone, "add", "--", page)
        if _git(clone, "status", "--porcelain", "--", page):
            _git(clone, *_AUTHOR, "commit", "--quiet", "--message", f"Put {page}")
            _git(clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    except (_GitSaysNoError, PlatformError) as error:
        return Delivery(delivered=False, reason=str(error))
    return Delivery(delivered=True)


def _refreshed(clone: Path, url: str, branch: str) -> None:
    """The clone at what the remote has; at nothing where the remote has no such branch yet."""
    if not (clone / ".git").exists():
        clone.mkdir(parents=True, exist_ok=True)
        _git(clone, "init", "--quiet")
        _git(clone, "remote", "add", "origin", url)
    if _git(clone, "ls-remote", "--heads", "origin", branch):
        _git(clone, "fetch", "--quiet", "--depth", "1", "origin", branch)
        _git(clone, "checkout", "--quiet", "--force", "-B", "put", "FETCH_HEAD")


def _git(clone: Path, *arguments: str) -> str:
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _GitSaysNoError(f"git {arguments[0]}: {error}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise _GitSaysNoError(
            f"git {arguments[0]}: {said[-1] if said else f'it ended with {done.returncode}'}"
        )
    return done.stdout
