"""Capture what any Python service is asked and answers, so that Watchkeeper's monitors can judge it.

    from watchkeeper.capture import Capture, CaptureMiddleware, Target

    capture = Capture("workspace", Target(environment="prod", endpoint="prices-prod", model_version=3))
    app = CaptureMiddleware(app, capture, paths=("/predict",))

or, where there is no ASGI, `capture.record(asked, answered)`. The version has to be on record, with
`watchkeeper models register`.
"""

from watchkeeper.capture.middleware import CaptureMiddleware
from watchkeeper.capture.writer import Capture, Target

__all__ = ["Capture", "CaptureMiddleware", "Target"]
