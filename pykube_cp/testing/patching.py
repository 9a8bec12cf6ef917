"""Patches as ``FakeClient`` applies them: by the machinery of the API server."""

from typing import Any

from pykube_cp.client.interface import PatchType
from pykube_cp.machinery import errors, json_patch, schema, strategic_patch
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object


def apply_patch(obj: Object, patch: Any, patch_type: PatchType) -> Object:
    """A patched copy of ``obj``."""
    try:
        return _apply(obj, patch, patch_type)
    except (json_patch.PatchError, strategic_patch.PatchError) as error:
        raise errors.bad_request(str(error)) from error


def _apply(obj: Object, patch: Any, patch_type: PatchType) -> Object:
    patched: Object
    if patch_type is PatchType.JSON:
        patched = json_patch.compile_patch(patch)(obj)
        return patched
    kind = schema.find(GVK.of(obj)) if patch_type is PatchType.STRATEGIC else None
    if kind is not None:
        return strategic_patch.apply(obj, patch, kind)
    patched = json_patch.merge_patch(obj, patch)
    return patched
