"""Pages as files below a folder, such as a wiki's or a mounted share."""

from __future__ import annotations

from pathlib import Path

from watchkeeper.adapters.knowledge import Shelf
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.incidents import Delivery


def put(shelf: Shelf, page: str, text: str) -> Delivery:
    """Write the page below the option `path`, which is taken from the workspace."""
    folder = shelf.folder / Path(shelf.options["path"]).expanduser()
    try:
        FolderStore(folder).write(page, text.encode())
    except PlatformError as error:
        return Delivery(delivered=False, reason=str(error))
    return Delivery(delivered=True)
