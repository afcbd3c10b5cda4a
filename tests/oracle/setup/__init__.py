"""What the recordings did without a step, folder by folder: rebuilt from what the answers show."""

from tests.oracle.setup import admission, custom, defaults, delete, documents, errors, list_watch, patch
from tests.oracle.setup.preparing import BEFORE, COMPLETE, CONTROLLED, DURING, NO_NAMESPACES

__all__ = ["BEFORE", "COMPLETE", "CONTROLLED", "DURING", "NO_NAMESPACES"]
FOLDERS = (admission, defaults, delete, documents, errors, list_watch, patch)
custom.with_widgets()
