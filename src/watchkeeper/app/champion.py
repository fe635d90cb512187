"""The champion gate: is the challenger better on months that neither has learned from?"""

from __future__ import annotations

import numpy as np
import polars as pl

from watchkeeper.app.artefacts import load_version
from watchkeeper.app.project_sections import PREDICTION
from watchkeeper.app.retrains import Gate
from watchkeeper.app.targets import Target
from watchkeeper.app.train import Candidate
from watchkeeper.core.values import ModelVersion
from watchkeeper.monitors.model_quality import figures


def hold_gate(target: Target, champion: ModelVersion, challenger: Candidate) -> Gate | None:
    """Both on the challenger's test rows of the months after those the champion has learned from.

    The challenger's answers are those of its recipe fitted without these months. None when there is no
    such row: nothing is known yet that could tell the two apart.
    """
    settings = target.project.settings.data
    scored = pl.read_parquet(challenger.result.baseline).drop_nulls(PREDICTION)
    rows = scored.filter(pl.col(settings.time) > champion.trained_through)
    if rows.is_empty():
        return None
    model = load_version(target.store, champion.version, champion.digest)
    answers = model.predict({name: rows[name].to_list() for name in model.columns}).values
    labels = rows[settings.label].to_numpy().astype(np.float64)
    months = rows[settings.time]
    return Gate(
        champion=champion.version,
        champion_digest=champion.digest,
        challenger_digest=challenger.result.digest,
        first=str(months.min()),
        last=str(months.max()),
        rows=rows.height,
        champion_rmse=figures(labels, answers).rmse,
        challenger_rmse=figures(labels, rows[PREDICTION].to_numpy().astype(np.float64)).rmse,
    )
