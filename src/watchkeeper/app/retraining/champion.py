"""The champion gate: is the challenger better on months that neither has learned from?"""

from __future__ import annotations

import numpy as np
import polars as pl

from watchkeeper.app.registry.artefacts import load_version
from watchkeeper.app.retraining.retrains import Gate
from watchkeeper.app.retraining.train import Candidate
from watchkeeper.app.setup.sections import PREDICTION
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.values import ModelVersion
from watchkeeper.core.windows import months_between
from watchkeeper.monitors.model_quality import figures


def gate_months(trained_through: str, known_through: str, wanted: int) -> int:
    """How many of the newest labelled months the gate takes; 0 when the champion has learned from all.

    The challenger is trained without them. As many as `wanted`, but fewer where a challenger would otherwise
    be without months that the champion knows: it may always learn from one month more, so that losing tells
    of the recipe and not of what it was kept from. With one new month both know the same.

    >>> [gate_months("2020-05", k, 3) for k in ("2020-05", "2020-06", "2020-07", "2020-08", "2020-09")]
    [0, 1, 1, 2, 3]
    """
    newer = len(months_between(trained_through, known_through)) - 1
    return min(wanted, max(newer - 1, 1)) if newer > 0 else 0


def hold_gate(target: Target, champion: ModelVersion, challenger: Candidate) -> Gate:
    """Both on the challenger's test rows, which are of months that neither has learned from.

    The challenger's answers are those of its recipe fitted without these months.
    """
    settings = target.project.settings.data
    rows = pl.read_parquet(challenger.result.baseline).drop_nulls(PREDICTION)
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
