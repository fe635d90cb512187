"""A new project folder from a template."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.setup.drafting import Rows, drafted, project_name
from watchkeeper.app.setup.here import PACKAGE, REPOSITORY
from watchkeeper.app.setup.project import FILE
from watchkeeper.core.errors import ExistsError, InputError

BLANK = "blank"
_TEMPLATES = {"resale-price": "resale_price", BLANK: "blank"}


@dataclass(frozen=True, slots=True)
class Initialised:
    """The files a new project has; `drafted` says that its columns come from a file of rows."""

    folder: str
    template: str
    files: tuple[str, ...]
    drafted: bool = False


def template_folder(template: str) -> Path:
    """Where a template's files are: in the package, or in the repository of an editable install.

    Raises InputError for an unknown template.
    """
    if template not in _TEMPLATES:
        raise InputError(f'find template "{template}": want one of {", ".join(_TEMPLATES)}')
    packaged, repository = PACKAGE / "templates", REPOSITORY / "projects"
    return (packaged if packaged.is_dir() else repository) / _TEMPLATES[template]


def init(folder: Path, template: str, rows: Rows | None = None) -> Initialised:
    """Copy a template into a folder, which may exist but must hold none of its files.

    The template `blank` takes the folder's name, and with `rows` their columns.
    """
    source = template_folder(template)
    if rows is not None and template != BLANK:
        raise InputError(f"make a project from rows: want the template {BLANK}, got {template}")
    names = sorted(path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
    taken = [name for name in names if (folder / name).exists()]
    if taken:
        raise InputError(f"make a project in {folder}: want none of its files there, got {', '.join(taken)}")
    store = FolderStore(folder.resolve())
    made = {name: (source / name).read_bytes() for name in names}
    if template == BLANK:
        made[FILE] = _named(made[FILE].decode(), folder, rows).encode()
    for name, data in made.items():
        try:
            store.create(name, data)
        except ExistsError:
            raise InputError(
                f"make a project in {folder}: {name} appeared meanwhile; nothing was replaced"
            ) from None
    return Initialised(str(folder), template, tuple(names), drafted=rows is not None)


def _named(text: str, folder: Path, rows: Rows | None) -> str:
    """The project file under the folder's name."""
    name = project_name(folder)
    if rows is not None:
        return drafted(text, name, rows, folder)
    return text.replace("project: blank", f"project: {name}", 1)
