"""The trail of an account, which the first scope that lies in it makes."""

from __future__ import annotations

from watchkeeper.app.aws.site import Layer, Site, kept_days
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.setup.sections import Kept


def _audit(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "KeyArn": site.of("foundation", "KeyArn"),
        "RecordBucketName": site.of("foundation", "ArtefactBucketName", CENTRAL),
        "LockDays": str(kept_days(site, Kept.AUDIT, 400) or 3653),
    }


AUDIT = Layer("audit", "audit.yaml", _audit, ("TrailArn", "TrailBucketName"))
