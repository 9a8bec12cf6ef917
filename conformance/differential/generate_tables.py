"""Cases about what people read: objects in many states as rows of Tables, and what they are warned of.

A document of `tables/` and `warnings/` has a `collection`, a `base`, the object as it is made, and
`states`, which are merge patches of it by name. In a state, `status` goes through the status endpoint,
`approval` through that of approvals, and `deleted: true` asks for its deletion. All states of a kind are
listed in one Table, too, unless the document says `together: false`; `also` are other collections that show
the object, `alone` says that other cases would notice it, `after` how many seconds to wait before it is
read, and `described: false` that what is said of its columns is not compared.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from script import EVERYTHING, Case, Step

from pykube_cp.machinery.codec import yaml_rules
from pykube_cp.machinery.json_patch import merge_patch

HERE = Path(__file__).parent
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
MERGE = "application/merge-patch+json"
_PLAIN = ("status",)
_LATER = frozenset({"status", "approval", "deleted"})

Document = dict[str, Any]
State = dict[str, Any]


def cases() -> Iterator[Case]:
    for document in _documents("tables"):
        yield from _of_each("tables", document, _shown)
        if document.get("together", True):
            name = f"{document['base']['metadata']['name']} together"
            yield _case("tables", document, name, _listed(document))
    for document in _documents("warnings"):
        yield from _of_each("warnings", document, _warned)


def _of_each(
    theme: str, document: Document, steps: Callable[[Document, State], Iterator[Step]]
) -> Iterator[Case]:
    for name, state in document["states"].items():
        yield _case(theme, document, name, steps(document, state or {}))


def _documents(folder: str) -> Iterator[Document]:
    for path in sorted((HERE / folder).glob("*.yaml")):
        yield from filter(None, map(yaml_rules.loads, path.read_bytes().split(b"\n---\n")))


def _case(theme: str, document: Document, name: str, steps: Iterator[Step]) -> Case:
    title = f"{document['base']['apiVersion']} {document['base']['kind']}: {name}"
    every = tuple(steps)
    if "{ns}" not in document["collection"]:
        every += tuple(_removed(document, every))
    return Case(theme=theme, name=title, steps=every, alone=document.get("alone", False))


def _removed(document: Document, steps: tuple[Step, ...]) -> Iterator[Step]:
    """What is in no namespace is taken away again, whatever holds it."""
    posted = [
        step.body["metadata"]["name"]
        for step in steps
        if step.method == "POST" and "?" not in step.path
    ]
    for name in dict.fromkeys(posted):
        path = f"{document['collection']}/{name}"
        yield _patch(path, {"metadata": {"finalizers": None}}, compare=_PLAIN)
        yield Step(method="DELETE", path=path, compare=_PLAIN)


def _body(document: Document, state: State) -> Document:
    given = {key: value for key, value in state.items() if key not in _LATER}
    body: Document = merge_patch(document["base"], given)
    body["metadata"].setdefault("labels", {})["case"] = "{ns}"
    return body


def _stored(document: Document, state: State, suffix: str = "") -> Iterator[Step]:
    body = _body(document, state)
    name = body["metadata"]["name"] = body["metadata"]["name"] + suffix
    path = f"{document['collection']}/{name}"
    seen = {"accept": TABLE, "compare": _compared(document)}
    yield Step(method="POST", path=document["collection"], body=body, **seen)
    for part in ("approval", "status"):
        if part in state:
            yield _patch(f"{path}/{part}", {"status": state[part]}, **seen)
    if state.get("deleted"):
        yield Step(method="DELETE", path=path, **seen)


def _patch(path: str, patch: Any, **more: Any) -> Step:
    return Step(method="PATCH", path=path, type=MERGE, text=json.dumps(patch), **more)


def _shown(document: Document, state: State) -> Iterator[Step]:
    name = _body(document, state)["metadata"]["name"]
    path = f"{document['collection']}/{name}"
    yield from _stored(document, state)
    after = document.get("after", 0)
    for each in (path, *(f"{other}/{name}" for other in document.get("also", ()))):
        yield _read(document, each, after=after)


def _read(document: Document, path: str, **more: Any) -> Step:
    return Step(method="GET", path=path, accept=TABLE, compare=_compared(document), **more)


def _compared(document: Document) -> tuple[str, ...]:
    return EVERYTHING if document.get("described", True) else ("status", "headers", "rows")


def _listed(document: Document) -> Iterator[Step]:
    for position, state in reversed(list(enumerate(document["states"].values()))):
        yield from _stored(document, state or {}, f"-{position:02}")
    path = f"{document['collection']}?labelSelector=case%3D{{ns}}"
    yield _read(document, path, after=document.get("after", 0))
    yield _read(document, f"{path}&includeObject=None&limit=3")
    yield _read(document, f"{path}&watch=true&timeoutSeconds=1")


def _warned(document: Document, state: State) -> Iterator[Step]:
    """Made so, changed so, changed in nothing that matters, changed back."""
    base = document["base"]
    path = f"{document['collection']}/{base['metadata']['name']}"
    changed = merge_patch(base, state)
    yield Step(method="POST", path=f"{document['collection']}?dryRun=All", body=changed)
    yield Step(method="POST", path=document["collection"], body=base)
    if "status" in state:
        yield _patch(f"{path}/status", {"status": state["status"]})
    for patch in (state, {"metadata": {"labels": {"one": "more"}}}, base):
        # Upstream's cache may be behind; then it warns of what was before as well, and tries again.
        yield Step(method="GET", path=f"{document['collection']}?limit=1", compare=_PLAIN)
        yield _patch(path, patch)
