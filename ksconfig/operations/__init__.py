"""The only place that joins the parts: read, plan, check. Sources do the rest, models decide, texts are edited.

`ksconfig.operations.doctor` stands for itself: the other commands do without what it loads.
"""

from ksconfig.operations.images import Image, list_images, plan_set_image
from ksconfig.operations.values import Typed, plan_set, plan_unset
from ksconfig.operations.view import ALLOWABLE, Scope, get_value, key_path

__all__ = [
    "ALLOWABLE",
    "Image",
    "Scope",
    "Typed",
    "get_value",
    "key_path",
    "list_images",
    "plan_set",
    "plan_set_image",
    "plan_unset",
]
