"""The rows of the results, and their output formats."""

import dataclasses
import json

import measure


@dataclasses.dataclass
class Target:
    """The target of a row. It applies to the row's ratio if `of_ratio` is true, otherwise to its value."""

    limit: float
    at_least: bool
    of_ratio: bool

    def is_reached(self, row):
        number = row.ratio if self.of_ratio else row.value
        return number >= self.limit if self.at_least else number <= self.limit

    def text(self, unit):
        word = "≥" if self.at_least else "≤"
        return f"{word} {self.limit:g} ×" if self.of_ratio else f"{word} {number_text(self.limit)} {unit}"


def ratio_at_least(limit):
    return Target(limit, True, True)


def ratio_at_most(limit):
    return Target(limit, False, True)


def at_least(limit):
    return Target(limit, True, False)


def at_most(limit):
    return Target(limit, False, False)


@dataclasses.dataclass
class Row:
    """One result, possibly compared with another result of the same run. Terms are flush interval and durability."""

    name: str
    value: float
    unit: str
    terms: str
    baseline: str = None
    baseline_value: float = None
    baseline_terms: str = None
    # The spread of the ratios of all rounds, or of the values if there is no baseline.
    spread: measure.Spread = None
    target: Target = None
    notes: list = dataclasses.field(default_factory=list)

    @property
    def ratio(self):
        """Returns the median of the rounds' ratios."""
        if self.baseline_value is None:
            return None
        return self.spread.median if self.spread else self.value / self.baseline_value

    @property
    def reached(self):
        return self.target.is_reached(self) if self.target else None


def compare(name, unit, samples, contender, baseline, **fields):
    """Returns a row that compares the throughputs of two contenders that took turns."""
    ours, theirs = samples[contender.name], samples[baseline.name]
    notes = [*fields.pop("notes", []), *measure.core_remarks(ours, contender.name),
             *measure.core_remarks(theirs, baseline.name)]
    return Row(name, measure.throughput(ours).median, unit, contender.terms, baseline.name,
               measure.throughput(theirs).median, baseline.terms, measure.ratios(ours, theirs), notes=notes, **fields)


def alone(name, unit, samples, contender, **fields):
    """Returns a row of one contender's throughput."""
    ours = measure.throughput(samples[contender.name])
    notes = [*fields.pop("notes", []), *measure.core_remarks(samples[contender.name], contender.name)]
    return Row(name, ours.median, unit, contender.terms, spread=ours, notes=notes, **fields)


def number_text(number):
    """Formats a number with three significant digits, or with all digits before the decimal point if it is large."""
    if number is None:
        return ""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def _spread_text(row):
    if row.spread is None or row.spread.low == row.spread.high:
        return ""
    if row.baseline_value is None:
        return f"{number_text(row.spread.low)} to {number_text(row.spread.high)}"
    return f"{row.spread.low:.3g} to {row.spread.high:.3g}"


def _ratio_text(row):
    return "" if row.ratio is None else f"{row.ratio:.3g}"


def _reached_text(row):
    return {None: "", True: "yes", False: "NO"}[row.reached]


def table(rows):
    """Formats the rows for a terminal."""
    lines = [("what", "value", "unit", "compared with", "its value", "ratio", "range", "target", "reached")]
    for row in rows:
        lines.append((row.name, number_text(row.value), row.unit, row.baseline or "", number_text(row.baseline_value),
                      _ratio_text(row), _spread_text(row), row.target.text(row.unit) if row.target else "",
                      _reached_text(row)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    texts = []
    for number, line in enumerate(lines):
        texts.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
        if number > 0 and rows[number - 1].notes:
            texts.append("    " + "; ".join(rows[number - 1].notes))
    return "\n".join(texts)


def as_json(rows):
    return json.dumps([{"name": row.name, "value": row.value, "unit": row.unit, "baseline": row.baseline,
                        "baseline_value": row.baseline_value, "ratio": row.ratio} for row in rows], indent=2) + "\n"


def _markdown_row(cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def markdown(rows, description, pictures, remarks):
    """Formats RESULTS.md.

    `description` is pairs of name and text, `pictures` pairs of title and file name, and `remarks` a text.
    """
    reached = [row.reached for row in rows if row.target]
    lines = ["# Results", "",
             "Written by `bench/run.sh`; not edited by hand. [README.md](README.md) says what is measured how.", ""]
    lines += [_markdown_row(("run", "")), "| --- | --- |"]
    lines += [_markdown_row(pair) for pair in description]
    lines += ["", f"{sum(reached)} of {len(reached)} targets were reached.", "", "## Figures", "",
              "Values are medians; ranges are of the ratios of all rounds, or of the values where nothing is compared.",
              ""]
    lines += [_markdown_row(("what", "value", "flush interval and durability", "compared with", "its value",
                             "its flush interval and durability", "ratio", "range", "target", "reached", "remarks")),
              "| --- | ---: | --- | --- | ---: | --- | ---: | --- | --- | --- | --- |"]
    for row in rows:
        lines.append(_markdown_row((
            row.name, f"{number_text(row.value)} {row.unit}", row.terms, row.baseline or "",
            number_text(row.baseline_value), row.baseline_terms or "", _ratio_text(row), _spread_text(row),
            row.target.text(row.unit) if row.target else "", _reached_text(row), "; ".join(row.notes))))
    if pictures:
        lines += ["", "## Curves"]
        for title, name in pictures:
            lines += ["", f"![{title}](results/{name})"]
    return "\n".join(lines) + "\n\n" + remarks
