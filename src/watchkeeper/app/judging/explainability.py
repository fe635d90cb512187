"""The explainability judge: what the model looked at in some rows, against the rows of its baseline."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from watchkeeper.adapters.local.predictor import EndpointPredictor
from watchkeeper.app.files.suggestion import ANALYSIS, LOCAL_SHAP, SHAP_BASELINE, Suggestion
from watchkeeper.app.judging.judgement import Against, Figure, Judge, Judged, Watched, drawn, violations_file
from watchkeeper.app.registry.artefacts import columns_of
from watchkeeper.core.errors import InputError
from watchkeeper.model.attributions import attributions
from watchkeeper.model.contributions import LEAST_ROWS as TABULATED
from watchkeeper.model.contributions import TABLES
from watchkeeper.model.features import Columns
from watchkeeper.model.kernel_shap import KernelSettings, kernel_shap
from watchkeeper.monitors import clarify_diff, explainability
from watchkeeper.monitors.data_quality_diff import Change
from watchkeeper.monitors.evidence import NoRows
from watchkeeper.monitors.explainability import LEAST_ROWS, chance, compare, importances, ndcg
from watchkeeper.monitors.explainability_values import Aggregation, AttributionDrift, Attributions
from watchkeeper.readers import clarify as read
from watchkeeper.render.clarify import attribution_violations_json, attributions_json, local_attributions_csv

LABEL_NAME = "label0"  # the contract's name of a single output
SEED = 0
_OF_ALL_ROWS = NoRows("it is about the attributions of all rows together")


@dataclass(frozen=True, slots=True, eq=False)
class _Explained:
    """`values` is of shape (rows, features); `rows` says how many there were to be explained."""

    names: tuple[str, ...]
    values: npt.NDArray[np.float64]
    expected: float
    rows: int
    method: str

    def summed_up(self, watched: Watched) -> Attributions:
        found = importances(self.values, Aggregation(watched.section.agg_method))
        return Attributions(LABEL_NAME, tuple(zip(self.names, found.tolist(), strict=True)), self.expected)


def suggest(rows: pl.DataFrame, watched: Watched) -> Suggestion:
    """Attributions of the rows that the model had not seen when it scored them, and their importances.

    Raises InputError where the model is not in the store or reads a column that the rows have not, and
    PlatformError where an endpoint that is asked instead gives no answer.
    """
    unseen = rows.drop_nulls(watched.schema.prediction.name)
    background = _background(unseen, watched)
    explained = _explained(unseen, watched, background)
    found = explained.summed_up(watched)
    return Suggestion(
        (
            (ANALYSIS, attributions_json(found)),
            (LOCAL_SHAP, local_attributions_csv(found, explained.values)),
            (SHAP_BASELINE, background.write_csv()),
        )
    )


def judge(rows: pl.DataFrame, against: Against) -> Judged:
    """The contract's NDCG beside the calibrated verdict, which needs 30 rows on both sides."""
    watched = against.watched
    (before,) = read.attributions(against.baseline.text(ANALYSIS), f"baseline {ANALYSIS}")
    names = [name for name, _ in before.importances]
    known = read.local_attributions(against.baseline.text(LOCAL_SHAP), names, f"baseline {LOCAL_SHAP}")
    background = pl.read_csv(against.baseline.text(SHAP_BASELINE).encode(), infer_schema=False)
    explained = _explained(rows, watched, background)
    current = explained.summed_up(watched)
    drift = None
    if min(len(known), len(explained.values)) >= LEAST_ROWS:
        drift = compare(chance(known, names, len(explained.values), SEED), explained.values)
    violations = explainability.check(current, before, drift)
    score = ndcg(current.importances, before.importances)
    return Judged(
        (
            (ANALYSIS, attributions_json(current)),
            *violations_file(attribution_violations_json(violations), violations),
        ),
        tuple(each.violation for each in violations),
        (_OF_ALL_ROWS,) * len(violations),
        (
            Figure("explainability_violations", float(len(violations))),
            Figure("explainability_ndcg", score),
            *([Figure("explainability_drift_p_value", drift.p_value)] if drift else []),
            *(
                Figure("explainability_importance", value, (("feature", name),))
                for name, value in current.importances
            ),
        ),
        tuple(_notes(explained, drift)),
    )


def _background(rows: pl.DataFrame, watched: Watched) -> pl.DataFrame:
    """The rows that Kernel SHAP measures attributions from; none where the trees have their own shares."""
    inputs = [column.name for column in watched.schema.inputs]
    asked = watched.section.kernel_shap
    return drawn(rows.select(inputs), asked.baseline_rows if asked else 0)


def _explained(rows: pl.DataFrame, watched: Watched, background: pl.DataFrame) -> _Explained:
    """Attributions of at most `explained_rows` rows, drawn evenly."""
    chosen = drawn(rows, watched.section.explained_rows)
    if watched.section.kernel_shap is not None:
        return _by_endpoint(chosen, watched, background, rows.height)
    return _in_process(chosen, watched, rows.height)


def _in_process(chosen: pl.DataFrame, watched: Watched, of_rows: int) -> _Explained:
    """By the model's trees, with the level of the rows' months taken out.

    A market that rises would else make every feature count for more.
    """
    model = watched.model()
    found = attributions(model, columns_of(model, chosen, "explain rows"))
    return _Explained(
        tuple("+".join(source) for source in found.sources),
        found.values / found.level[:, None],
        float((found.expected / found.level).mean()),
        of_rows,
        found.method,
    )


def _by_endpoint(
    chosen: pl.DataFrame, watched: Watched, background: pl.DataFrame, of_rows: int
) -> _Explained:
    """By Kernel SHAP against an endpoint, as many rows as its budget allows."""
    asked = watched.section.kernel_shap
    if asked is None or background.is_empty():
        raise InputError(
            "explain rows by Kernel SHAP: the baseline has no rows to measure from, as it was made without "
            "kernel_shap; suggest a new one"
        )
    names = [column.name for column in watched.schema.inputs]
    settings = KernelSettings(asked.num_samples, asked.max_rows, SEED)
    with closing(EndpointPredictor(asked.endpoint)) as predict:
        found = kernel_shap(predict, _texts(chosen, names), _texts(background, names), settings)
    how = "every coalition" if found.exact else "a sample of coalitions"
    return _Explained(
        found.columns,
        found.values,
        found.expected,
        of_rows,
        f"Kernel SHAP over {how}, {found.asked:,} rows asked of {asked.endpoint}",
    )


def _texts(rows: pl.DataFrame, names: list[str]) -> Columns:
    return {name: rows[name].cast(pl.String).to_list() for name in names}


def _notes(explained: _Explained, drift: AttributionDrift | None) -> list[str]:
    notes = []
    if explained.method.startswith("Kernel"):
        notes.append(f"explained by {explained.method}")
    elif len(explained.values) >= TABULATED and explained.method != TABLES:
        notes.append(f"explained without tables, which takes longer: {explained.method}")
    if len(explained.values) < explained.rows:
        sample = f"{len(explained.values):,} of {explained.rows:,} rows explained, drawn evenly"
        notes.append(f"{sample}{_error(explained)}")
    if drift is None:
        notes.append(f"judged by NDCG alone: what chance does needs {LEAST_ROWS} rows in baseline and window")
    return notes


def _error(explained: _Explained) -> str:
    """How exactly the importance of the feature that counts most is known from the rows drawn."""
    sizes = np.abs(explained.values)
    means = sizes.mean(axis=0)
    top = int(means.argmax())
    if len(sizes) < 2 or not means[top]:
        return ""
    half = 1.96 * sizes[:, top].std(ddof=1) / np.sqrt(len(sizes))
    return f"; the importance of {explained.names[top]} is known to ±{half / means[top]:.1%} (95 %)"


def diff(before: Suggestion, after: Suggestion) -> tuple[Change, ...]:
    """What tells two baselines apart, feature by feature."""
    left, right = (read.attributions(each.text(ANALYSIS), ANALYSIS)[0] for each in (before, after))
    return clarify_diff.attributions_diff(left, right)


JUDGE = Judge(explainability.MONITOR, (ANALYSIS, LOCAL_SHAP, SHAP_BASELINE), suggest, judge, diff)
