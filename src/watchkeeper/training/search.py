"""Fourth step: seeded search for booster parameters, each trial fitted on train and scored on validation."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import optuna
import xgboost as xgb
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from watchkeeper.core.values import Progress
from watchkeeper.model.features import Encoder
from watchkeeper.model.level import Level
from watchkeeper.training.files import step_folder, write_json
from watchkeeper.training.fitting import THREADS, Recipe, labels, matrix, texts
from watchkeeper.training.request import TrainingRequest
from watchkeeper.training.split import read_parts

MOST_ROUNDS = 250
AT_ONCE = 2  # fixed, as the trials that are found depend on it
PATIENCE = 20  # rounds without a better validation error after which a trial stops

SPACE: dict[str, BaseDistribution] = {
    "max_depth": IntDistribution(5, 7),
    "learning_rate": FloatDistribution(0.1, 0.2, log=True),
    "subsample": FloatDistribution(0.6, 1.0),
    "colsample_bytree": FloatDistribution(0.5, 1.0),
    "min_child_weight": FloatDistribution(1.0, 20.0, log=True),
    "reg_lambda": FloatDistribution(0.1, 10.0, log=True),
}
# Tried first, so that a search of few trials does not depend on luck.
START = {
    "max_depth": 7, "learning_rate": 0.1, "subsample": 0.8, "colsample_bytree": 0.7,
    "min_child_weight": 5.0, "reg_lambda": 1.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of parameters, the number of trees that did best, and its RMSE on validation.

    Where the target has a level by month, the RMSE is that of the target divided by it.
    """

    number: int
    params: dict[str, float]
    rounds: int
    rmse: float


@dataclass(frozen=True, slots=True)
class Search:
    """Every trial in order, and the recipe of the best; of two equal ones the earlier."""

    recipe: Recipe
    trials: tuple[Trial, ...]


def search(request: TrainingRequest, folder: Path, report: Callable[[Progress], None]) -> Search:
    """Read `split/`, write `search/search.json`. One seed gives the same trials on every run.

    Trials are asked for in pairs and told in their order, whichever ends first.
    """
    settings = request.settings
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=settings.seed, constant_liar=True))
    study.enqueue_trial(START)
    benches = _benches(request, folder, min(AT_ONCE, settings.trials))
    trials: list[Trial] = []
    with ThreadPoolExecutor(len(benches)) as pool:
        while len(trials) < settings.trials:
            asked = [study.ask(SPACE) for _ in range(min(len(benches), settings.trials - len(trials)))]
            runs = [
                pool.submit(_run, each, settings.seed, bench)
                for each, bench in zip(asked, benches, strict=False)
            ]
            for each, run in zip(asked, runs, strict=True):
                trials.append(run.result())
                study.tell(each, trials[-1].rmse)
                report(_progress(trials, settings.trials))
    best = min(trials, key=lambda trial: trial.rmse)
    found = Search(
        Recipe(settings.features, best.params, best.rounds, settings.seed, settings.level), tuple(trials)
    )
    with step_folder(folder, "search") as written:
        write_json(written / "search.json", found)
    return found


@dataclass(frozen=True, slots=True)
class _Bench:
    """Train and validation rows; each thread has its own, as XGBoost does not promise to share them."""

    train: xgb.QuantileDMatrix
    validation: xgb.DMatrix


def _benches(request: TrainingRequest, folder: Path, count: int) -> list[_Bench]:
    settings, label = request.settings, request.schema.label.name
    train, validation = read_parts(folder, "train"), read_parts(folder, "validation")
    columns, target = texts(train, settings.features, settings.level), labels(train, label)
    held_out, truth = texts(validation, settings.features, settings.level), labels(validation, label)
    if settings.level:
        level = Level.fit(settings.level, columns, target)
        target, truth = target / level.of(columns), truth / level.of(held_out)
    encoder = Encoder.fit(settings.features, columns, target)
    held_out_matrix = encoder.transform(held_out).matrix
    return [
        _Bench(matrix(encoder, columns, target), xgb.DMatrix(held_out_matrix, truth, nthread=THREADS))
        for _ in range(count)
    ]


def _run(asked: optuna.Trial, seed: int, bench: _Bench) -> Trial:
    booster = xgb.train(
        Recipe((), asked.params, MOST_ROUNDS, seed).booster_params,
        bench.train,
        MOST_ROUNDS,
        evals=[(bench.validation, "validation")],
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
    )
    return Trial(asked.number, asked.params, booster.best_iteration + 1, float(booster.best_score))


def _progress(trials: list[Trial], total: int) -> Progress:
    best = min(trials, key=lambda trial: trial.rmse)
    figures = {"rmse": trials[-1].rmse, "best_rmse": best.rmse}
    return Progress("search", len(trials), total, f"trial {best.number + 1} is best", figures)
