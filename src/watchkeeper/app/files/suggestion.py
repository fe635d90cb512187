"""What a baseline is made of: the contract's files of its monitor, as text."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.core.encoding import digest

STATISTICS, CONSTRAINTS = "statistics.json", "constraints.json"
SAMPLE = "multivariate/rows.csv"
ANALYSIS = "analysis.json"
LOCAL_SHAP = "explanations_shap/out.csv"
SHAP_BASELINE = "explanations_shap/baseline.csv"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A baseline's files: name and text of each, in the order that its digest is taken in."""

    files: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, statistics: str, constraints: str) -> Suggestion:
        """The two files of a data-quality or model-quality baseline."""
        return cls(((STATISTICS, statistics), (CONSTRAINTS, constraints)))

    def text(self, name: str) -> str:
        """One of the files. Raises KeyError for one that this baseline has not."""
        return dict(self.files)[name]

    def has(self, name: str) -> bool:
        """Whether the file is one of this baseline's."""
        return name in dict(self.files)

    @property
    def statistics(self) -> str:
        """`statistics.json`."""
        return self.text(STATISTICS)

    @property
    def constraints(self) -> str:
        """`constraints.json`."""
        return self.text(CONSTRAINTS)

    @property
    def digest(self) -> str:
        """sha256 over all files."""
        return digest([text for _, text in self.files])
