"""A rehearsal of several months as lines of fixed columns: one cell a month, and the newest events.

Nothing is said by colour alone: a ratio above the threshold has a `!` beneath it, and each outcome a mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from watchkeeper.cli.rehearsal_state import DONE, LOOP, TRAINING, RehearsalState, RetrainEnd
from watchkeeper.core.values import Progress

_LABEL = 12  # columns of the names at the left
_NOTE = 26  # columns of the figures at the right
_OPEN = 2  # lines kept for open alerts
_BARS = "▁▂▃▄▅▆▇█"
_LOW, _HIGH = 0.8, 1.5  # ratios of the lowest and the highest bar, fixed so that bars already drawn stay
_STYLES = {RetrainEnd.WON: "green", RetrainEnd.LOST: "yellow", RetrainEnd.FAILED: "red"}


@dataclass(frozen=True, slots=True)
class Canvas:
    """What there is to draw on: months asked for, seconds gone by, columns and lines inside the frame."""

    months: tuple[str, ...]
    elapsed: float
    width: int
    height: int

    @property
    def cell(self) -> int:
        """Columns of one month."""
        return max(1, min(3, self.room // len(self.months)))

    @property
    def room(self) -> int:
        """Columns of the months together."""
        return max(self.width - _LABEL - _NOTE - 2, 12)

    def shown(self, month: str) -> tuple[str, ...]:
        """The months that fit, the one under way among them."""
        fit = self.room // self.cell
        at = self.months.index(month) if month in self.months else 0 if not month else len(self.months) - 1
        start = max(0, min(at + fit // 4 - fit + 1, len(self.months) - fit))
        return self.months[start : start + fit]


def months_view(state: RehearsalState, canvas: Canvas) -> list[Text]:
    """As many lines as the canvas has, none wider than it."""
    lines = [
        _bar(state, canvas),
        _row("now", Text(_now(state))),
        _row("serving", Text(_serving(state))),
        Text(),
        *_strips(state, canvas),
        Text(),
        *_open_alerts(state),
        Text(),
    ]
    room = max(canvas.height - len(lines), 0)
    shown = state.events[len(state.events) - min(room, len(state.events)) :]
    lines += [_row(event.day, Text(event.said)) for event in shown]
    lines += [Text() for _ in range(canvas.height - len(lines))]
    for line in lines:
        line.truncate(canvas.width, overflow="ellipsis")
    return lines[: canvas.height]


def _row(name: str, said: Text) -> Text:
    return Text.assemble((name.ljust(_LABEL), "dim"), said)


def _bar(state: RehearsalState, canvas: Canvas) -> Text:
    """The months gone by, in cells as fine as there are columns."""
    total, room = len(canvas.months), canvas.room
    over = 0.0
    if state.month in canvas.months:
        over = canvas.months.index(state.month) + (int(state.day[8:]) - 1) / 31
    elif state.month:
        over = total
    full = int(room * over / total)
    minutes, seconds = divmod(int(canvas.elapsed), 60)
    count = f"{min(int(over) + 1, total) if state.month else 0} of {total} months".ljust(17)
    bar = Text.assemble(("█" * full, "cyan"), ("░" * (room - full), "dim"))
    return Text.assemble((state.day or "–").ljust(_LABEL), bar, f"  {count}{minutes:>4}:{seconds:02}")


def _now(state: RehearsalState) -> str:
    step = state.last
    if step is None:
        return "–"
    if step.step in TRAINING:
        return _training(step, again=bool(state.day))
    if step.step == "prepare":
        return f"prepare: {step.note}"
    if step.step == "live" and step.done == step.total:
        return "writing the report"
    return DONE if step.step == DONE else LOOP.get(step.step, LOOP["monitor"])


def _training(step: Progress, again: bool) -> str:
    """The step of a training run that is under way: after one that is done, the next."""
    kind = "retrain" if again else "train"
    if step.note != "done":
        return f"{kind}: {LOOP[step.step]}, {step.done} of {step.total}"
    following = [*(LOOP[name] for name in TRAINING[1:]), "champion gate" if again else LOOP["promote"]]
    return f"{kind}: {following[TRAINING.index(step.step)]}"


def _serving(state: RehearsalState) -> str:
    if state.serving is None:
        return "no model yet"
    version, since = state.serving
    return f"model v{version}{f' since {since}' if since else ''}"


def _strips(state: RehearsalState, canvas: Canvas) -> Iterator[Text]:
    """The months in cells: year, error, threshold, alerts, retrains; the newest figures beside them."""
    months = canvas.shown(state.month)
    newest = state.verdicts[max(state.verdicts)] if state.verdicts else None
    limit = newest.figures.get("limit") if newest else None
    notes = _notes(state, newest)
    yield _strip("", _years(months, canvas.cell), canvas, Text())
    yield _strip("RMSE", _cells([_error(state, month) for month in months], canvas), canvas, notes[0])
    over = [("!", "bold red") if _over(state.verdicts.get(month)) else (" ", "") for month in months]
    name = f"above {limit:g}" if limit is not None else ""
    yield _strip(name, _cells(over, canvas), canvas, notes[1])
    fired = {each.month for each in state.fired}
    alerts = [("▲", "red") if month in fired else (" ", "") for month in months]
    yield _strip("alerts", _cells(alerts, canvas), canvas, notes[2])
    ends = dict(state.retrains)
    marks = [
        (ends[month].value, _STYLES.get(ends[month], "")) if month in ends else (" ", "") for month in months
    ]
    yield _strip("retrains", _cells(marks, canvas), canvas, notes[3])


def _strip(name: str, cells: Text, canvas: Canvas, note: Text) -> Text:
    cells.truncate(canvas.room, pad=True)
    return Text.assemble((name.ljust(_LABEL), "dim"), cells, "  ", note)


def _cells(marks: Sequence[tuple[str, str]], canvas: Canvas) -> Text:
    return Text.assemble(*((mark.ljust(canvas.cell), style) for mark, style in marks))


def _years(months: Sequence[str], cell: int) -> Text:
    """Each year over its first month that is shown, where there is room for it."""
    columns = [" "] * (len(months) * cell)
    for at, month in enumerate(months):
        room = min(len(columns) - at * cell, (13 - int(month[5:])) * cell)
        if (at == 0 or month.endswith("-01")) and room >= len(month[:4]):
            columns[at * cell : at * cell + 4] = month[:4]
    return Text("".join(columns), style="dim")


def _error(state: RehearsalState, month: str) -> tuple[str, str]:
    """A month's bar; `–` without a verdict, `·` while labels are awaited, `▸` for the month under way."""
    step = state.verdicts.get(month)
    if step is None:
        if not state.month or month > state.month:
            return " ", ""
        return ("▸", "cyan") if month == state.month else ("·", "dim")
    ratio = step.figures.get("rmse_baseline_ratio")
    if ratio is None:
        return "–", "dim"
    level = round((ratio - _LOW) / (_HIGH - _LOW) * (len(_BARS) - 1))
    return _BARS[max(0, min(level, len(_BARS) - 1))], "red" if _over(step) else "green"


def _over(step: Progress | None) -> bool:
    if step is None or "limit" not in step.figures:
        return False
    return step.figures.get("rmse_baseline_ratio", 0.0) > step.figures["limit"]


def _notes(state: RehearsalState, newest: Progress | None) -> tuple[Text, Text, Text, Text]:
    """Beside the strips: newest error and its ratio, open alerts, how retrains went."""
    error, ratio = Text("no verdict yet", style="dim"), Text()
    if newest:
        figures, month = newest.figures, newest.labels["month"]
        error = Text(f"{figures['rmse']:,.0f} in {month}" if "rmse" in figures else f"no verdict in {month}")
        if "rmse_baseline_ratio" in figures:
            style = "bold red" if _over(newest) else "green"
            ratio = Text(f"{figures['rmse_baseline_ratio']:.2f} × baseline", style=style)
    count = len(state.firing)
    alerts = Text(f"{count} open, {len(state.fired)} fired", style="red" if count else "")
    named = [(RetrainEnd.WON, "won"), (RetrainEnd.LOST, "lost"), (RetrainEnd.FAILED, "failed")]
    counts = [
        f"{state.count(end)} {name}"
        for end, name in named
        if state.count(end) or end is not RetrainEnd.FAILED
    ]
    counts += [f"{state.count(RetrainEnd.OPEN)} open"] if state.count(RetrainEnd.OPEN) else []
    return error, ratio, alerts, Text(", ".join(counts))


def _open_alerts(state: RehearsalState) -> Iterator[Text]:
    """The alerts that fire now, the last line saying how many more there are."""
    found = [f"{each.labels['name']}, about {each.labels['month']}" for each in state.firing.values()]
    shown = found if len(found) <= _OPEN else [*found[: _OPEN - 1], f"and {len(found) - _OPEN + 1} more"]
    lines = [Text(said, style="red") for said in shown] or [Text("none", style="dim")]
    for at in range(_OPEN):
        yield _row("open alerts" if at == 0 else "", lines[at] if at < len(lines) else Text())
