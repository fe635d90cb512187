"""The audit log, read and verified."""

from __future__ import annotations

from watchkeeper.core.audit import AuditEntry, Verification, read_entry, verify
from watchkeeper.core.errors import IntegrityError
from watchkeeper.core.ports import Trail


def verify_log(trail: Trail) -> Verification:
    """Derive the whole chain anew and hold it against the head."""
    return verify(trail.entries(), trail.head())


def log(trail: Trail) -> tuple[AuditEntry, ...]:
    """The entries, oldest first. Raises IntegrityError at the first that cannot be read."""
    found = []
    for number, line in enumerate(trail.entries(), start=1):
        try:
            found.append(read_entry(line))
        except ValueError as error:
            raise IntegrityError(
                f"read audit entry {number}: {error}; run `watchkeeper audit verify`"
            ) from error
    return tuple(found)
