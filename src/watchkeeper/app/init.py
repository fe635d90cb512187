"""A new project folder from a template."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.errors import ExistsError, InputError

_REPOSITORY = Path(__file__).parents[3] / "projects"
_TEMPLATES = {"resale-price": "resale_price"}


@dataclass(frozen=True, slots=True)
class Initialised:
    """The files a new project has."""

    folder: str
    template: str
    files: tuple[str, ...]


def template_folder(template: str) -> Path:
    """Where a template's files are: in the package, or in the repository of an editable install.

    Raises InputError for an unknown template.
    """
    if template not in _TEMPLATES:
        raise InputError(f'find template "{template}": want one of {", ".join(_TEMPLATES)}')
    name = _TEMPLATES[template]
    packaged = Path(str(files("watchkeeper"))) / "templates" / name
    return packaged if packaged.is_dir() else _REPOSITORY / name


def init(folder: Path, template: str) -> Initialised:
    """Copy a template into a folder, which may exist but must hold none of its files."""
    source = template_folder(template)
    names = sorted(path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
    taken = [name for name in names if (folder / name).exists()]
    if taken:
        raise InputError(f"make a project in {folder}: want none of its files there, got {', '.join(taken)}")
    store = FolderStore(folder.resolve())
    for name in names:
        try:
            store.create(name, (source / name).read_bytes())
        except ExistsError:
            raise InputError(
                f"make a project in {folder}: {name} appeared meanwhile; nothing was replaced"
            ) from None
    return Initialised(str(folder), template, tuple(names))
