"""Fourth step: seeded search for booster parameters, each trial fitted on train and scored on validation."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import xgboost as xgb
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.pruners import PercentilePruner
from optuna.trial import TrialState

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
# A trial goes on while its error is among the best quarter of those that came to their end, at as many
# rounds. On HDB a search then takes half the time, and its best error is at most a hundredth larger.
BEST_PERCENT, TRIALS_BEFORE, ROUNDS_BEFORE, ROUNDS_BETWEEN = 25.0, 4, 40, 10

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

    Where the target has a level by month, the RMSE is that of the target divided by it. A `pruned` trial
    was given up, as others were better by then; its figures are those of the rounds it had.
    """

    number: int
    params: dict[str, float]
    rounds: int
    rmse: float
    pruned: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """Every trial in order, and the recipe of the best that was not pruned; of two equal ones the earlier."""

    recipe: Recipe
    trials: tuple[Trial, ...]


def search(request: TrainingRequest, folder: Path, report: Callable[[Progress], None]) -> Search:
    """Read `split/`, write `search/search.json`. One seed gives the same trials on every run.

    Trials are asked for in pairs and told in their order, whichever ends first.
    """
    settings = request.settings
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = _study(settings.seed)
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
                _tell(study, each, trials[-1])
                report(_progress(trials, settings.trials))
    best = _best(trials)
    found = Search(
        Recipe(settings.features, best.params, best.rounds, settings.seed, settings.level), tuple(trials)
    )
    with step_folder(folder, "search") as written:
        write_json(written / "search.json", found)
    return found


def single_trial(request: TrainingRequest, folder: Path, params: dict[str, float]) -> Trial:
    """One set of parameters, fitted on train and scored on validation as a search does, and never pruned.

    For a search that runs elsewhere, such as a tuning job. Raises ValueError for parameters that are not
    `SPACE`'s.
    """
    if set(params) != set(SPACE):
        raise ValueError(
            f"try parameters: want {', '.join(SPACE)}, got {', '.join(sorted(params)) or 'none'}"
        )
    (bench,) = _benches(request, folder, 1)
    rounds, rmse = _fitted(params, request.settings.seed, bench, [])
    return Trial(0, params, rounds, rmse)


def keep_best(request: TrainingRequest, folder: Path, best: Trial) -> Search:
    """Write `search/search.json` of a search that ran elsewhere, with the recipe of its best trial."""
    settings = request.settings
    recipe = Recipe(settings.features, best.params, best.rounds, settings.seed, settings.level)
    found = Search(recipe, (best,))
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


def _study(seed: int) -> optuna.Study:
    """The pruner judges by trials that were told, so that it does not matter which of a pair is ahead."""
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True),
        pruner=PercentilePruner(BEST_PERCENT, TRIALS_BEFORE, ROUNDS_BEFORE, ROUNDS_BETWEEN),
    )
    study.enqueue_trial(START)
    return study


class _Pruning(xgb.callback.TrainingCallback):
    """Ends the training of a trial that is not worth going on."""

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial = trial
        self.best = math.inf
        self.pruned = False

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: dict[str, Any]) -> bool:  # noqa: ARG002
        self.best = min(self.best, evals_log["validation"]["rmse"][-1])
        if (epoch + 1) % ROUNDS_BETWEEN == 0:
            self.trial.report(self.best, epoch + 1)
            self.pruned = bool(self.trial.should_prune())
        return self.pruned


def _run(asked: optuna.Trial, seed: int, bench: _Bench) -> Trial:
    pruning = _Pruning(asked)
    rounds, rmse = _fitted(asked.params, seed, bench, [pruning])
    return Trial(asked.number, asked.params, rounds, rmse, pruning.pruned)


def _fitted(
    params: dict[str, float], seed: int, bench: _Bench, callbacks: list[xgb.callback.TrainingCallback]
) -> tuple[int, float]:
    """The number of rounds that did best on validation, and its RMSE."""
    booster = xgb.train(
        Recipe((), params, MOST_ROUNDS, seed).booster_params,
        bench.train,
        MOST_ROUNDS,
        evals=[(bench.validation, "validation")],
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
        callbacks=callbacks,
    )
    return booster.best_iteration + 1, float(booster.best_score)


def _tell(study: optuna.Study, asked: optuna.Trial, trial: Trial) -> None:
    if trial.pruned:
        study.tell(asked, state=TrialState.PRUNED)
    else:
        study.tell(asked, trial.rmse)


def _best(trials: list[Trial]) -> Trial:
    return min((trial for trial in trials if not trial.pruned), key=lambda trial: trial.rmse)


def _progress(trials: list[Trial], total: int) -> Progress:
    best = _best(trials)
    figures = {"rmse": trials[-1].rmse, "best_rmse": best.rmse}
    return Progress("search", len(trials), total, f"trial {best.number + 1} is best", figures)
