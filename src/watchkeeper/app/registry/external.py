"""Versions that are served elsewhere: on record with their schema, so that their answers are watched."""

from __future__ import annotations

from pathlib import Path

from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.models import enter
from watchkeeper.app.registry.schema_inference import schema_of
from watchkeeper.app.registry.schemas import keep_schema, settle_schema
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Actor, ModelVersion
from watchkeeper.readers.table_files import file_bytes, text_table

_DOING = "read rows of a model"


def register_external(target: Target, path: Path, actor: Actor) -> ModelVersion:
    """Put a version on record that is served elsewhere; a file of its rows, answers included, says the types.

    Its digest is that of the file. It can be watched, not promoted. Raises InputError for a file that lacks
    one of the project's inputs or the prediction.
    """
    data = file_bytes(path, _DOING)
    frame = text_table(data, path, _DOING)
    schema = schema_of(target.project, frame)
    wanted = [column.name for column in (*schema.inputs, schema.prediction)]
    if missing := [name for name in wanted if name not in frame.columns]:
        raise InputError(
            f"{_DOING} {path}: want the columns {', '.join(wanted)}; missing: {', '.join(missing)}"
        )
    settled = settle_schema(target.store, schema)
    keep_schema(target.store, settled)
    model = ModelVersion(
        version=len(catalogue(target.store).versions) + 1,
        digest=digest(data),
        run_id="",
        trained_from="",
        trained_through="",
        labels_known_in="",
        metrics={},
        schema_version=settled.version,
        data_digest=digest(data),
        project_digest=target.project.digest,
        registered_at=target.clock.now(),
        registered_by=actor,
        external=True,
    )
    return enter(target, model, f"served elsewhere; its rows by {path.name}")
