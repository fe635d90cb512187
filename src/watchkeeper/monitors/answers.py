"""Labels beside predictions, as the formulas of quality take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.problems import ProblemType

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
POSITIVE = "1"  # the positive class where it is one of two, else the last in order


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Labels and predictions, shape (rows,) both: numbers, or places in `classes`.

    `scores` are the probabilities of the positive class, which is the last of two; None where unknown.
    """

    problem: ProblemType
    labels: Floats
    predictions: Floats
    classes: tuple[str, ...] = ()
    scores: Floats | None = None

    @classmethod
    def of_numbers(cls, labels: Floats, predictions: Floats) -> Self:
        """Of a regression.

        Raises ValueError when the two differ in length, are empty, or hold a number that is not finite.
        """
        y, p = (np.ascontiguousarray(each, dtype=np.float64) for each in (labels, predictions))
        _check_shapes(y, p)
        for name, values in (("labels", y), ("predictions", p)):
            if others := int((~np.isfinite(values)).sum()):
                raise ValueError(f"want finite {name}, got {others} of {values.size} that are not")
        return cls(ProblemType.REGRESSION, y, p)

    @classmethod
    def of_classes(
        cls,
        labels: Sequence[str],
        predictions: Sequence[str],
        scores: Floats | None = None,
        problem: ProblemType = ProblemType.BINARY,
    ) -> Self:
        """Of a classification; classes are texts, `1` and `1.0` being one.

        Raises ValueError for columns of different lengths or without a row, for an empty class, for scores
        outside 0 to 1, and for more than two classes where the problem is binary.
        """
        y, p = _classes(labels), _classes(predictions)
        _check_shapes(y, p)
        if any((column == "").any() for column in (y, p)):
            raise ValueError("want a class in every label and prediction, got an empty one")
        classes = _in_order({*np.unique(y).tolist(), *np.unique(p).tolist()})
        if problem is ProblemType.BINARY:
            classes = _two(classes)
        places = {name: float(place) for place, name in enumerate(classes)}
        y_places, p_places = (np.array([places[each] for each in column.tolist()]) for column in (y, p))
        return cls(problem, y_places, p_places, classes, _checked(scores, y.size))

    @property
    def size(self) -> int:
        """How many rows."""
        return self.labels.size

    def take(self, rows: Places) -> Self:
        """Some of the rows."""
        scores = None if self.scores is None else self.scores[rows]
        return replace(self, labels=self.labels[rows], predictions=self.predictions[rows], scores=scores)


def thresholded(scores: Floats, threshold: float, classes: tuple[str, str] = ("0", "1")) -> list[str]:
    """The class that each probability says: the second where it is greater than the threshold (6.1)."""
    return [classes[int(above)] for above in scores > threshold]


def _check_shapes(labels: NDArray[np.generic], predictions: NDArray[np.generic]) -> None:
    if labels.shape != predictions.shape or labels.ndim != 1:
        raise ValueError(f"want one prediction per label, got shapes {predictions.shape} and {labels.shape}")
    if not labels.size:
        raise ValueError("want at least one label with its prediction, got none")


def _checked(scores: Floats | None, rows: int) -> Floats | None:
    if scores is None:
        return None
    found = np.ascontiguousarray(scores, dtype=np.float64)
    if found.shape != (rows,):
        raise ValueError(f"want one probability per label, got shape {found.shape} for {rows} rows")
    outside = ~((found >= 0) & (found <= 1))
    if outside.any():
        first = found[outside][0]
        raise ValueError(f"want probabilities from 0 to 1, got {int(outside.sum())} others such as {first}")
    return found


def _classes(values: Sequence[str]) -> NDArray[np.str_]:
    """The classes' names, whole numbers without their fraction."""
    column = np.asarray(values, dtype=str)
    names, places = np.unique(column, return_inverse=True)
    return np.array([_spelled(name) for name in names.tolist()], dtype=str)[places.reshape(column.shape)]


def _spelled(name: str) -> str:
    """A class by one spelling.

    >>> _spelled(" 1.0 "), _spelled("1.5"), _spelled("yes")
    ('1', '1.5', 'yes')
    """
    plain = name.strip()
    number = _number(plain)
    return str(int(number)) if number is not None and number.is_integer() else plain


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if np.isfinite(found) else None


def _in_order(names: set[str]) -> tuple[str, ...]:
    """By value where all are numbers, else by name."""
    numbers = {name: _number(name) for name in names}
    if all(number is not None for number in numbers.values()):
        return tuple(sorted(names, key=lambda name: (numbers[name] or 0.0, name)))
    return tuple(sorted(names))


def _two(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Two classes, the positive one last; a class that never appears is there all the same."""
    if len(classes) > 2:
        raise ValueError(f"want two classes, got {len(classes)}: {', '.join(classes[:5])}")
    if len(classes) == 2:
        return classes if classes[1] == POSITIVE or POSITIVE not in classes else classes[::-1]
    (only,) = classes
    return ("0", "1") if only in ("0", "1") else (f"not {only}", only)
