"""The material that lies beside the checkout and is not part of it: real data, contract fixtures, peers."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


def shared(path: str) -> Path:
    """`path` inside the shared folder (`WATCHKEEPER_SHARED`, or `../shared` beside the checkout).

    Skips the calling test, or the module when called at its top, where the material is absent.
    """
    found = Path(os.environ.get("WATCHKEEPER_SHARED") or CHECKOUT.parent / "shared") / path
    if not found.exists():
        pytest.skip(f"no {path} in the shared folder (see WATCHKEEPER_SHARED)", allow_module_level=True)
    return found
