"""NannyML's estimates on the data its wheel carries, and the data, for `benchmarks/estimation.py`.

Usage: estimate_nannyml.py FOLDER, in an environment with NannyML. Writes NAME-reference.parquet and
NAME-analysis.parquet there, and prints, as one JSON object, its estimate of each figure in each of 20 chunks
of the analysis period.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import nannyml as nml  # noqa: E402
import pandas as pd  # noqa: E402

CHUNKS = 20
CLASSES = {
    "california-housing": (
        nml.load_modified_california_housing_dataset,
        {"y_true": "clf_target", "y_pred": "y_pred", "y_pred_proba": "y_pred_proba"},
        ["MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"],
    ),
    "ma-employment": (
        nml.load_us_census_ma_employment_data,
        {"y_true": "employed", "y_pred": "prediction", "y_pred_proba": "predicted_probability"},
        ["AGEP", "SCHL", "MAR", "RELP", "DIS", "ESP", "CIT", "MIG", "MIL", "ANC", "NATIVITY", "DEAR", "DEYE",
         "DREM", "SEX", "RAC1P"],
    ),
}  # fmt: skip
CARS = ["car_age", "km_driven", "price_new", "accident_count", "door_count", "fuel", "transmission"]


def with_targets(analysis: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    return analysis.merge(targets, on="id") if "id" in targets else analysis.join(targets)


def keep(
    folder: Path, name: str, frames: dict[str, pd.DataFrame], columns: dict[str, str], features: list[str]
) -> None:
    for part, frame in frames.items():
        own = frame.rename(columns={column: role for role, column in columns.items()})
        for feature in features:
            if not pd.api.types.is_numeric_dtype(own[feature]):
                own[feature] = own[feature].astype(str)
        own[[*columns, *features]].to_parquet(folder / f"{name}-{part}.parquet")


def estimates(result: nml.base.AbstractResult, metrics: tuple[str, ...]) -> dict[str, list[float]]:
    """Each figure by chunk, and the chunks' first and last rows."""
    table = result.filter(period="analysis").to_df()
    bounds = {name: table["chunk"][name].tolist() for name in ("start_index", "end_index")}
    return {**bounds, **{metric: table[metric]["value"].tolist() for metric in metrics}}


def main(folder: Path) -> None:
    found = {}
    for name, (load, columns, features) in CLASSES.items():
        reference, analysis, targets = load()
        keep(
            folder,
            name,
            {"reference": reference, "analysis": with_targets(analysis, targets)},
            columns,
            features,
        )
        cbpe = nml.CBPE(
            problem_type="classification_binary",
            metrics=["roc_auc", "f1", "accuracy"],
            chunk_number=CHUNKS,
            **columns,
        ).fit(reference)
        found[name] = estimates(cbpe.estimate(analysis), ("roc_auc", "f1", "accuracy"))
    reference, analysis, targets = nml.load_synthetic_car_price_dataset()
    columns = {"y_true": "y_true", "y_pred": "y_pred"}
    keep(
        folder,
        "car-price",
        {"reference": reference, "analysis": with_targets(analysis, targets)},
        columns,
        CARS,
    )
    dle = nml.DLE(feature_column_names=CARS, metrics=["mae", "rmse"], chunk_number=CHUNKS, **columns).fit(
        reference
    )
    found["car-price"] = estimates(dle.estimate(analysis), ("mae", "rmse"))
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
