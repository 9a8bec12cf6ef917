"""ControllerRevisions: the templates a StatefulSet or DaemonSet has had.

A revision holds a patch that puts its template back: ``{"spec": {"template": {..., "$patch":
"replace"}}}``. Two are equal when their patches are.
"""

# upstream: pkg/controller/history/controller_history.go

from collections.abc import Iterable, Sequence

import orjson

from pykube_cp.client.interface import Client
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.controller_refs import new_controller_ref
from pykube_cp.controllers.shared.kinds import CONTROLLER_REVISIONS
from pykube_cp.controllers.shared.templates import canonical, semantic_equal
from pykube_cp.machinery import errors, names, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object

HASH_LABEL = "controller.kubernetes.io/hash"
_MAX_PREFIX = 223
_CONFLICT_RETRIES = 5


def template_patch(owner: Object) -> Object:
    """The patch that gives an object of this kind the owner's template.

    Its members are sorted: API servers written in Go compare revisions byte by byte, with what they
    write themselves.
    """
    template = {**owner["spec"]["template"], "$patch": "replace"}
    patch = {"spec": {"template": template}}
    ordered: Object = orjson.loads(orjson.dumps(patch, option=orjson.OPT_SORT_KEYS))
    return ordered


def revision_template(revision: Object) -> Object:
    """The template a revision puts back."""
    template = objects.nested(revision, "data", "spec", "template", default={})
    return {key: value for key, value in template.items() if key != "$patch"}


def apply_revision(owner: Object, revision: Object) -> Object:
    """The owner as it was at a revision; shares what did not change."""
    return {**owner, "spec": {**owner["spec"], "template": revision_template(revision)}}


def equal_data(one: Object, other: Object) -> bool:
    return semantic_equal(one.get("data"), other.get("data"))


def number(revision: Object) -> int:
    found: int = revision.get("revision") or 0
    return found


def by_revision(revision: Object) -> tuple[int, float, str]:
    """Sort key: oldest revision first."""
    return (number(revision), *pod_state.by_age(revision))


def next_number(revisions: Sequence[Object]) -> int:
    """The number after the last of sorted revisions."""
    return number(revisions[-1]) + 1 if revisions else 1


def data_hash(data: Object, collisions: int) -> str:
    hashed = names.fnv32(canonical(data) + str(collisions).encode())
    return names.safe_encode_string(str(hashed))


def revision_name(prefix: str, hash_text: str) -> str:
    return f"{prefix[:_MAX_PREFIX]}-{hash_text}"


def new_revision(owner: Object, kind: GVK, revision: int) -> Object:
    """A revision of the owner's template as it is now, without name: see ``create_revision``."""
    revision_object: Object = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "namespace": objects.namespace(owner),
            "labels": dict(objects.labels(owner["spec"]["template"])),
            "ownerReferences": [new_controller_ref(owner, kind)],
        },
        "data": template_patch(owner),
        "revision": revision,
    }
    if objects.annotations(owner):
        revision_object["metadata"]["annotations"] = dict(objects.annotations(owner))
    return revision_object


async def create_revision(
    client: Client, owner: Object, revision: Object, collisions: int
) -> tuple[Object, int]:
    """Create under a name made from its hash; ``(revision, collisions)`` as they are then."""
    namespace = objects.namespace(owner)
    while True:
        hash_text = data_hash(revision["data"], collisions)
        name = revision_name(objects.name(owner), hash_text)
        created = objects.deep_copy(revision)
        created["metadata"]["name"] = name
        created["metadata"]["labels"][HASH_LABEL] = hash_text
        try:
            return await client.create(CONTROLLER_REVISIONS, created, namespace), collisions
        except StatusError as error:
            if not errors.is_already_exists(error):
                raise
        existing = await client.get(CONTROLLER_REVISIONS, name, namespace)
        if equal_data(existing, revision):
            return existing, collisions
        collisions += 1


async def renumber(client: Client, revision: Object, revision_number: int) -> Object:
    """Give a revision a new number, since its template is current again."""
    # upstream: controller_history.go UpdateControllerRevision
    current = revision
    for attempt in range(_CONFLICT_RETRIES):
        if number(current) == revision_number:
            return current
        updated = {**objects.deep_copy(current), "revision": revision_number}
        try:
            return await client.update(CONTROLLER_REVISIONS, updated)
        except StatusError as error:
            if not errors.is_conflict(error) or attempt == _CONFLICT_RETRIES - 1:
                raise
        name, namespace = objects.name(revision), objects.namespace(revision)
        current = await client.get(CONTROLLER_REVISIONS, name, namespace)
    return current


async def delete_revision(client: Client, revision: Object) -> None:
    name, namespace = objects.name(revision), objects.namespace(revision)
    await client.delete(CONTROLLER_REVISIONS, name, namespace)


def find_equal(revisions: Iterable[Object], wanted: Object) -> list[Object]:
    return [revision for revision in revisions if equal_data(revision, wanted)]
