"""Model Monitor's own schedules in an account, with their job definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from watchkeeper.adapters.aws.errors import translated

_DEFINITIONS: Mapping[str, str] = MappingProxyType(
    {
        "DataQuality": "describe_data_quality_job_definition",
        "ModelQuality": "describe_model_quality_job_definition",
        "ModelBias": "describe_model_bias_job_definition",
        "ModelExplainability": "describe_model_explainability_job_definition",
    }
)


@dataclass(frozen=True, slots=True)
class ModelMonitor:
    """The service in one region."""

    client: Any

    def schedules(self, endpoint: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Each schedule of an endpoint with its job definition, by name; an old one holds it itself."""
        with translated(f"list the monitoring schedules of {endpoint}"):
            pages = self.client.get_paginator("list_monitoring_schedules").paginate(
                EndpointName=endpoint, SortBy="Name", SortOrder="Ascending"
            )
            names = [
                each["MonitoringScheduleName"]
                for page in pages
                for each in page["MonitoringScheduleSummaries"]
            ]
        for name in names:
            with translated(f"describe monitoring schedule {name}"):
                found = self.client.describe_monitoring_schedule(MonitoringScheduleName=name)
                yield found, self._definition(found)

    def _definition(self, schedule: Mapping[str, Any]) -> Mapping[str, Any]:
        config, kind = schedule["MonitoringScheduleConfig"], schedule.get("MonitoringType", "DataQuality")
        name = config.get("MonitoringJobDefinitionName")
        if name is None or kind not in _DEFINITIONS:
            return _inline(config.get("MonitoringJobDefinition") or {})
        found: Mapping[str, Any] = getattr(self.client, _DEFINITIONS[kind])(JobDefinitionName=name)
        return found


def _inline(given: Mapping[str, Any]) -> dict[str, Any]:
    """A definition of before there were such, which is one of data quality, in the words of today's."""
    first = (given.get("MonitoringInputs") or [{}])[0]
    return {
        "DataQualityAppSpecification": given.get("MonitoringAppSpecification") or {},
        "DataQualityBaselineConfig": given.get("BaselineConfig") or {},
        "DataQualityJobInput": first,
    }
