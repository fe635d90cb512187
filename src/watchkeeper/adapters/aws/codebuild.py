"""Builds on AWS CodeBuild, for machines without an engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from watchkeeper.adapters.aws.errors import translated
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Progress

_PAUSE = 5.0  # seconds between two looks at a build


def run_build(
    client: Any, project: str, variables: Mapping[str, str], report: Callable[[Progress], None]
) -> None:
    """Start a build of a CodeBuild project and return once it succeeded; raises PlatformError when it did
    not.

    Source: docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html.
    """
    override = [{"name": key, "value": text, "type": "PLAINTEXT"} for key, text in variables.items()]
    with translated(f"build with CodeBuild project {project}"):
        build = client.start_build(projectName=project, environmentVariablesOverride=override)["build"]
        while build["buildStatus"] == "IN_PROGRESS":
            report(Progress("codebuild", 0, None, build.get("currentPhase", "")))
            time.sleep(_PAUSE)
            (build,) = client.batch_get_builds(ids=[build["id"]])["builds"]
    if build["buildStatus"] != "SUCCEEDED":
        logs = build.get("logs", {}).get("deepLink", "no log")
        raise PlatformError(
            f"build with CodeBuild project {project}: {build['buildStatus']}; {logs}", retryable=False
        )
