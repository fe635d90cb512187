"""An endpoint that is asked for predictions, patiently: any server of the container contract's CSV."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.model.features import Columns
from watchkeeper.readers.payloads import csv_rows, json_document

ROWS_AT_ONCE = 1_000  # in one request
TRIES = 5
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0  # seconds; each wait is twice the one before, or what Retry-After asks
_BUSY = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class EndpointPredictor:
    """Predictions of rows by a server at `url`, which takes CSV and answers with CSV or JSON.

    An answer that says busy or broken, and none at all, is tried again after a wait.
    """

    url: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=60.0))
    wait: Callable[[float], None] = time.sleep

    def __call__(self, columns: Columns) -> npt.NDArray[np.float64]:
        """The predictions, shape (rows,).

        Raises InputError when the request is refused or the answer is not a number for each row, and
        PlatformError after five tries.
        """
        height = len(next(iter(columns.values())))
        cuts = range(0, height, ROWS_AT_ONCE)
        return np.concatenate([self._ask(columns, start) for start in cuts])

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def _ask(self, columns: Columns, start: int) -> npt.NDArray[np.float64]:
        rows = list(zip(*(column[start : start + ROWS_AT_ONCE] for column in columns.values()), strict=True))
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        response = self._answer(text.getvalue().encode())
        return _numbers(response, len(rows), self._doing)

    def _answer(self, body: bytes) -> httpx.Response:
        pause, said = FIRST_WAIT, ""
        for attempt in range(TRIES):
            if attempt:
                self.wait(pause)
                pause = min(2 * pause, LONGEST_WAIT)
            try:
                response = self.http.post(self.url, content=body, headers={"content-type": "text/csv"})
            except httpx.HTTPError as error:
                said = f"{type(error).__name__}: {error}"
                continue
            if response.is_success:
                return response
            said = f"{response.status_code}: {response.text[:300]}"
            if response.status_code not in _BUSY:
                raise InputError(f"{self._doing}: {said}")
            pause = _asked_for(response, pause)
        raise PlatformError(f"{self._doing}: {TRIES} tries, the last one {said}", retryable=True)

    @property
    def _doing(self) -> str:
        return f"ask {self.url} for predictions"


def _asked_for(response: httpx.Response, otherwise: float) -> float:
    """The seconds of a Retry-After, within reason."""
    try:
        return min(max(float(response.headers["retry-after"]), 0.0), LONGEST_WAIT)
    except (KeyError, ValueError):
        return otherwise


def _numbers(response: httpx.Response, wanted: int, doing: str) -> npt.NDArray[np.float64]:
    text = response.text
    try:
        if "json" in response.headers.get("content-type", ""):
            cells = list(json_document(text, "predictions"))
        else:
            cells = [fields[0] for fields in csv_rows(text)]
        found = np.array(cells, dtype=np.float64)
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(f"{doing}: want a number for each row, got {text[:100]!r} ({error})") from None
    if found.shape != (wanted,) or not np.isfinite(found).all():
        raise InputError(f"{doing}: want {wanted:,} finite numbers, got {text[:100]!r}")
    return found
