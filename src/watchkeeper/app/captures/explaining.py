"""Why one captured request got its answer: each row's attributions by the version that answered it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from watchkeeper.app.registry.artefacts import columns_of, version_in_store
from watchkeeper.app.registry.schemas import schemas
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.sections import ProjectFile
from watchkeeper.core.errors import InputError, IntegrityError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Schema
from watchkeeper.core.windows import Window
from watchkeeper.model.artefact import Model
from watchkeeper.model.attributions import attributions
from watchkeeper.monitors.evidence import MASK
from watchkeeper.readers.captures import read_captures
from watchkeeper.readers.labels import folder_hour
from watchkeeper.render.explanation_page import ExplainedRow, ExplanationView, explanation_page
from watchkeeper.render.text import DASH

SAME = 1e-4  # relative; how far the answer on record may be from what the artefact gives


@dataclass(frozen=True, slots=True)
class Share:
    """What a column, of this value in the row, added to the prediction."""

    column: str
    value: str | None
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """One row's prediction: `expected`, and what each column added, in the label's unit."""

    inference_id: str
    row: int
    time: datetime
    model_version: int
    unit: str
    expected: float
    shares: tuple[Share, ...]
    prediction: float
    method: str


def explain(store: Store, project: Project, environment: str, inference_id: str) -> tuple[Explanation, ...]:
    """Explain the rows of a request that an environment's endpoint answered, in their order.

    Values of the columns that `data.sensitive` names are masked, however they are treated. Raises InputError
    when no such request was captured or it names no model version, IntegrityError when the version's artefact
    does not give the answer on record.
    """
    endpoint = project.endpoint(environment)
    for schema in reversed(schemas(store)):
        folder = f"captures/{environment}/schema-v{schema.version}/{endpoint}/"
        rows = _rows(store, folder, schema, inference_id)
        if rows is not None:
            return tuple(_explained(store, project.environment(environment), rows))
    raise InputError(
        f"explain {inference_id}: want the id of a request that {endpoint} answered and captured, found none"
    )


def explanation_of(project: Project, found: Sequence[Explanation]) -> str:
    """The rows of one request as an HTML page."""
    first = found[0]
    return explanation_page(
        ExplanationView(
            project=project.name,
            inference_id=first.inference_id,
            time=first.time,
            model_version=first.model_version,
            unit=first.unit,
            method=first.method,
            rows=tuple(
                ExplainedRow(
                    each.row + 1,
                    each.expected,
                    each.prediction,
                    tuple((share.column, share.value or DASH, share.contribution) for share in each.shares),
                )
                for each in found
            ),
            classification=project.classification,
        )
    )


def _rows(store: Store, folder: str, schema: Schema, inference_id: str) -> pl.DataFrame | None:
    """The request's rows; of an id that came again, the newest request's."""
    forms = {json.dumps(inference_id, ensure_ascii=escaped)[1:-1].encode() for escaped in (True, False)}
    for key in reversed(store.list(folder)):
        hour, data = folder_hour(key), store.read(key)
        lines = [line for line in data.split(b"\n") if any(form in line for form in forms)]
        if hour is None or not lines:
            continue
        hours = Window(hour, hour + timedelta(hours=1))
        found = read_captures([(key, b"\n".join(lines))], schema, hours).frame
        own = found.filter(pl.col("_join_id") == inference_id)
        if own.height:
            newest = own["_event_id"].to_list()[-1]
            return own.filter(pl.col("_event_id") == newest).sort("_row")
    return None


def _explained(store: Store, settings: ProjectFile, rows: pl.DataFrame) -> Iterator[Explanation]:
    inference_id, version = rows["_join_id"][0], rows["_model_version"][0]
    if version is None:
        raise InputError(f"explain {inference_id}: want a record that names its model version, it names none")
    model = version_in_store(store, version)
    found = attributions(model, columns_of(model, rows, f"explain {inference_id} by model v{version}"))
    _check(model, rows, found.predictions.tolist(), version)
    sensitive = frozenset(settings.data.sensitive)
    for place, (row, when) in enumerate(rows.select("_row", "_time").iter_rows()):
        shares = tuple(
            Share("+".join(source), _value(rows, source, place, sensitive), contribution)
            for source, contribution in zip(found.sources, found.values[place].tolist(), strict=True)
        )
        yield Explanation(
            inference_id=inference_id,
            row=row,
            time=when,
            model_version=version,
            unit=settings.data.unit,
            expected=float(found.expected[place]),
            shares=tuple(sorted(shares, key=lambda share: -abs(share.contribution))),
            prediction=float(found.predictions[place]),
            method=found.method,
        )


def _check(model: Model, rows: pl.DataFrame, explained: list[float], version: int) -> None:
    """Hold the explanation against the answer that was given."""
    name = model.schema.prediction.name
    for row, (given, found) in enumerate(zip(rows[name].to_list(), explained, strict=True)):
        try:
            answered = float(given)
        except (TypeError, ValueError):
            raise InputError(
                f"explain {rows['_join_id'][0]}, row {row + 1}: want a number as its answer, got {given!r}"
            ) from None
        if not abs(answered - found) <= SAME * max(abs(answered), abs(found)):
            raise IntegrityError(
                f"explain {rows['_join_id'][0]}, row {row + 1}: {answered:,.2f} was answered, and model "
                f"v{version} on record gives {found:,.2f}"
            )


def _value(rows: pl.DataFrame, source: tuple[str, ...], place: int, sensitive: frozenset[str]) -> str | None:
    """The cell, or the cells of columns that are read together; None where all are missing."""
    cells = [MASK if column in sensitive else rows[column][place] for column in source]
    return " ".join(cell for cell in cells if cell is not None) or None
