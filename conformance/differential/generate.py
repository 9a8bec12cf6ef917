"""Cases that follow from data: every field of an object spoiled in every way, every kind in every form.

The objects of `bases/` are ones that upstream takes, with as much in them as possible. They are stored
once; what is made of them is only tried (`dryRun=All`), so the cases do not disturb one another.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from script import Case, Step

from pykube_cp.machinery.codec import yaml_rules
from pykube_cp.machinery.gvk import GVK
from pykube_cp.registry.resource import Resource
from pykube_cp.resources import catalog

BASES = Path(__file__).parent / "bases"
NAMESPACE = "fixtures"
SETUP = "setup.yaml"
"""What the bases refer to; stored before them, and not spoiled."""
LONG = "a" * 300
_KINDS = catalog.builtin({"api/all": "true"})
_REMOVED = object()

Object = dict[str, Any]
Way = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Base:
    """A valid object and where objects of its kind live."""

    obj: Object
    row: Resource

    @property
    def name(self) -> str:
        return str(self.obj["metadata"]["name"])

    @property
    def title(self) -> str:
        return f"{self.row.kind} {self.name}"

    @property
    def collection(self) -> str:
        return collection(self.row, self.obj["metadata"].get("namespace", NAMESPACE))

    @property
    def version(self) -> str:
        """The variable that holds the version in which it is stored."""
        return f"version of {self.title}"

    def versioned(self) -> Object:
        """As an update sends it: with its version where the kind asks for one."""
        if self.row.strategy.allow_unconditional_update:
            return self.obj
        return self.changed(
            lambda obj: obj["metadata"].update(resourceVersion=f"{{{self.version}}}")
        )

    def changed(self, change: Callable[[Object], None]) -> Object:
        copy: Object = json.loads(json.dumps(self.obj))
        change(copy)
        return copy


def collection(row: Resource, namespace: str) -> str:
    root = f"/apis/{row.group}/{row.version}" if row.group else f"/api/{row.version}"
    space = f"/namespaces/{namespace}" if row.namespaced else ""
    return f"{root}{space}/{row.plural}"


def bases(name: str = "*.yaml") -> list[Base]:
    """The objects of the files; those of the setup only when asked for by name."""
    return read_bases(path for path in BASES.glob(name) if name == SETUP or path.name != SETUP)


def read_bases(paths: Iterable[Path]) -> list[Base]:
    return [
        Base(obj, _row(obj))
        for path in sorted(paths)
        for text in path.read_bytes().split(b"\n---\n")
        if (obj := yaml_rules.loads(text))
    ]


def _row(obj: Object) -> Resource:
    row = _KINDS.kind(GVK.of(obj))
    if row is None:
        raise ValueError(f"no resource of kind {obj['kind']} in {obj['apiVersion']}")
    return row


def setup() -> Iterator[Case]:
    """Stores what all generated cases need, one after the other."""
    yield one_step(
        "bases", "namespace", "POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}
    )
    for base in (*bases(SETUP), *bases()):
        yield store(base)


def store(base: Base) -> Case:
    """Stores an object and remembers its version."""
    name, save = f"{base.title} is taken", {base.version: "metadata.resourceVersion"}
    return one_step("bases", name, "POST", base.collection, base.obj, save=save)


def one_step(theme: str, name: str, method: str, path: str, body: Any, **more: Any) -> Case:
    step = Step(method=method, path=path, body=body, **more)
    return Case(theme=theme, name=name, steps=(step,), own_namespace=False)


def cases() -> Iterator[Case]:
    """All generated cases."""
    for base in bases():
        yield from fields(base)
        yield from _unknown_fields(base)
    for base in {base.row.gvr: base for base in bases()}.values():
        yield from forms(base)


def fields(base: Base) -> Iterator[Case]:
    """Every field wrong in every way, in a create and in an update."""
    fresh = base.changed(lambda obj: obj["metadata"].update(name=f"{base.name}-2"))
    for path, title, value in spoiled(base.obj, ()):
        if path in {("kind",), ("apiVersion",)}:
            continue
        name = f"{base.title}: {title}"
        create = spoil(fresh, path, value)
        yield one_step("create", name, "POST", f"{base.collection}?dryRun=All", create)
        if path[:2] == ("metadata", "name"):
            continue
        update = spoil(base.versioned(), path, value)
        url = f"{base.collection}/{base.name}?dryRun=All"
        yield one_step("update", name, "PUT", url, update)


def spoil(obj: Object, path: tuple[Any, ...], value: Any) -> Object:
    copy: Object = json.loads(json.dumps(obj))
    node: Any = copy
    for part in path[:-1]:
        node = node[part]
    if value is _REMOVED:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return copy


def spoiled(node: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str, Any]]:
    """Each place in a value with each wrong thing to put there: path, title, thing.

    Of a list that is its first item, and of the others what no item before them has.
    """
    seen: set[tuple[Any, ...]] = set()
    for here, value in _places(node, path):
        shape = tuple("" if isinstance(part, int) else part for part in here)
        if shape in seen:
            continue
        seen.add(shape)
        where = _shown(here)
        if isinstance(here[-1], str):
            yield here, f"without {where}", _REMOVED
        for way, thing in _ways(value):
            yield here, f"{where} {way}", thing


def _places(node: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value inside a value, with its path."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield (*path, key), value
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


def _shown(path: tuple[Any, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).lstrip(".")


def _ways(value: Any) -> Iterator[Way]:
    yield "null", None
    if isinstance(value, bool):
        yield from (("a text", "x"), ("the other", not value))
    elif isinstance(value, int):
        yield from (("a text", "x"), ("negative", -1), ("0", 0), ("large", 1 << 31), ("1.5", 1.5))
    elif isinstance(value, str):
        yield from (("a number", 7), ("empty", ""), ("odd", "Not/a_Name!"), ("long", LONG))
    elif isinstance(value, list):
        yield from (("a text", "x"), ("empty", []), ("an object", {}))
        yield "with one twice", [*value, *value[:1]]
    else:
        yield from (("a text", "x"), ("empty", {}), ("a list", []))
        if value and all(isinstance(member, str) for member in value.values()):
            yield "with an odd key", {**value, "Not a key!": "x"}


def _unknown_fields(base: Base) -> Iterator[Case]:
    """A field that no one knows, everywhere, under the three kinds of validation."""
    obj = base.changed(_add_unknown)
    obj["metadata"]["name"] = f"{base.name}-2"
    for how in ("Strict", "Warn", "Ignore"):
        url = f"{base.collection}?dryRun=All&fieldValidation={how}"
        yield one_step("unknown fields", f"{base.title}: {how}", "POST", url, obj)
    url = f"{base.collection}/{base.name}?dryRun=All&fieldValidation=Strict&fieldManager=me"
    patch = {"type": "application/merge-patch+json", "text": json.dumps({"metadata": {"x": 1}})}
    yield one_step("unknown fields", f"{base.title}: merge patch", "PATCH", url, None, **patch)


def _add_unknown(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _add_unknown(item)
    elif isinstance(node, dict):
        for member in node.values():
            _add_unknown(member)
        if not node or not all(isinstance(member, str) for member in node.values()):
            node["unheardOf"] = "x"


ACCEPTS = (
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json",
    "application/xml",
    "*/*",
    "",
)


def forms(base: Base) -> Iterator[Case]:
    """An object in every media type: read, listed, written."""
    one = f"{base.collection}/{base.name}"
    for accept in ACCEPTS:
        for title, path in (
            ("get", one),
            ("list", f"{base.collection}?labelSelector=nobody"),
            ("list of one", f"{base.collection}?fieldSelector=metadata.name={base.name}"),
            ("table with objects", f"{one}?includeObject=Object"),
            ("table without", f"{one}?includeObject=None"),
        ):
            name = f"{base.title}: {title} as {accept or 'nothing'}"
            yield one_step("forms", name, "GET", path, None, accept=accept)
    yield from _written(base, one)


def _written(base: Base, one: str) -> Iterator[Case]:
    for form in ("json", "yaml", "protobuf"):
        name = f"{base.title}: replaced in {form}"
        yield one_step("forms", name, "PUT", f"{one}?dryRun=All", base.versioned(), form=form)
    text = json.dumps({"metadata": {"labels": {"added": "x"}}})
    for kind in ("merge-patch", "strategic-merge-patch", "json-patch", "apply-patch"):
        more = {"type": f"application/{kind}+json", "text": text}
        if kind == "json-patch":
            patch = [{"op": "add", "path": "/metadata/labels", "value": {"added": "x"}}]
            more["text"] = json.dumps(patch)
        if kind == "apply-patch":
            name = {"name": base.name, "labels": {"added": "x"}}
            head = {"apiVersion": base.obj["apiVersion"], "kind": base.row.kind, "metadata": name}
            more = {"type": "application/apply-patch+yaml", "text": json.dumps(head)}
        url = f"{one}?dryRun=All&fieldManager=me"
        yield one_step("forms", f"{base.title}: {kind}", "PATCH", url, None, **more)
    yield one_step("forms", f"{base.title}: deleted", "DELETE", f"{one}?dryRun=All", None)
    yield one_step("forms", f"{base.title}: posted to", "POST", one, base.obj)
    yield one_step("forms", f"{base.title}: put to the list", "PUT", base.collection, base.obj)
