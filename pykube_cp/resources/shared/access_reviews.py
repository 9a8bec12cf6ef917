"""Questions about access: whether they make sense, and what of them cannot be read."""
# upstream: pkg/apis/authorization/validation/validation.go

from collections.abc import Callable, Iterable

from pykube_cp.machinery import schema, selectors, structural
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks
from pykube_cp.resources.shared.go_names import internal
from pykube_cp.resources.shared.requirements import check_requirement

_SPEC = Path("spec")
_RESOURCE = _SPEC.child("resourceAttributes")
_OTHER_TYPE = "io.k8s.api.authorization.v1.NonResourceAttributes"
_META_TYPE = f"{schema.META}ObjectMeta"
_EITHER = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
_OPERATORS = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})


def check(review: Object) -> checks.Errors:
    """Of a named user."""
    # upstream: ValidateSubjectAccessReview
    return _spec(review, of_self=False) + _metadata(review, "must be empty")


def check_own(review: Object) -> checks.Errors:
    """Of who asks."""
    # upstream: ValidateSelfSubjectAccessReview
    return _spec(review, of_self=True) + _metadata(review, "must be empty")


def check_local(review: Object) -> checks.Errors:
    """Of a named user, in one namespace."""
    # upstream: ValidateLocalSubjectAccessReview
    found = _spec(review, of_self=False)
    found += _metadata(review, "must be empty except for namespace", "namespace")
    spec, namespace = review.get("spec") or {}, review["metadata"].get("namespace") or ""
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and (resource.get("namespace") or "") != namespace:
        where, text = _RESOURCE.child("namespace"), "must match metadata.namespace"
        found.append(FieldError.invalid(where, resource.get("namespace") or "", text))
    if other is not None:
        where, text = _SPEC.child("nonResourceAttributes"), "disallowed on this kind of request"
        found.append(FieldError.invalid(where, internal(other, _OTHER_TYPE), text))
    return found


def _spec(review: Object, *, of_self: bool) -> checks.Errors:
    spec = review.get("spec") or {}
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    found: checks.Errors = []
    if (resource is None) == (other is None):
        shown = internal(other, _OTHER_TYPE) if other is not None else None
        found.append(FieldError.invalid(_SPEC, shown, _EITHER))
    if not of_self and not spec.get("user") and not spec.get("groups"):
        text = "at least one of user or group must be specified"
        found.append(FieldError.invalid(_SPEC.child("user"), "", text))
    for kind, check_term in _TERMS.items():
        selector = (resource or {}).get(kind)
        if selector is not None:
            found += _selector(selector, _RESOURCE.child(kind), check_term)
    return found


def _metadata(review: Object, text: str, *allowed: str) -> checks.Errors:
    meta = review["metadata"]
    if not meta.keys() - {"managedFields", *allowed}:
        return []
    shown = structural.in_order(meta, schema.type_named(_META_TYPE))
    for entry in shown.get("managedFields") or ():
        entry["fieldsV1"] = _sorted(entry["fieldsV1"])
    return [FieldError.invalid(Path("metadata"), shown, text)]


def _sorted(fields: Object) -> Object:
    return {key: _sorted(fields[key]) for key in sorted(fields)}


def _selector(
    selector: Object, path: Path, check_term: Callable[[Object, Path], checks.Errors]
) -> checks.Errors:
    raw, terms = selector.get("rawSelector"), selector.get("requirements") or ()
    found: checks.Errors = []
    if raw and terms:
        text = "may not specified at the same time as requirements"
        found.append(FieldError.invalid(path.child("rawSelector"), raw, text))
    where = path.child("requirements")
    if not raw and not terms:
        text = f"when {path} is specified, requirements or rawSelector is required"
        found.append(FieldError.required(where, text))
    for position, term in enumerate(terms):
        found += check_term(term, where.index(position))
    return found


def _field_term(term: Object, path: Path) -> checks.Errors:
    # upstream: apimachinery meta/v1/validation/validation.go ValidateFieldSelectorRequirement
    found = checks.required(term, path, "key", detail="must be specified")
    return found + check_requirement(term, path, any_operator=True)


def _label_term(term: Object, path: Path) -> checks.Errors:
    return check_requirement(term, path, any_operator=True, of_labels=True)


_TERMS = {"fieldSelector": _field_term, "labelSelector": _label_term}


# What is read of selectors, and what cannot be.


def evaluation_error(attributes: Object) -> str:
    """What authorizers will not see of the selectors."""
    # upstream: pkg/registry/authorization/util/helpers.go BuildEvaluationError
    return "; ".join(_unread(attributes))


def _unread(attributes: Object) -> Iterable[str]:
    for kind, (parse, is_read) in _READERS.items():
        selector = attributes.get(kind) or {}
        terms = selector.get("requirements") or ()
        read = [is_read(term) for term in terms]
        if not all(read):
            partially = "partially " if any(read) else ""
            yield f"{_RESOURCE.child(kind)} {partially}ignored due to parse error"
        elif not terms and not _parses(parse, selector.get("rawSelector")):
            yield f"{_RESOURCE.child(kind)} ignored due to parse error"


def read_selector(attributes: Object, kind: str) -> str:
    """What authorizers see of a selector: as text, without what cannot be read."""
    # upstream: as above, ResourceAttributesFrom
    parse, is_read = _READERS[kind]
    selector = attributes.get(kind) or {}
    if terms := selector.get("requirements"):
        return ",".join(_term_text(term, kind) for term in terms if is_read(term))
    text: str = selector.get("rawSelector") or ""
    return text if _parses(parse, text) else ""


def _term_text(term: Object, kind: str) -> str:
    if kind == "labelSelector":
        return str(selectors.from_label_selector({"matchExpressions": [term]}))
    sign = "=" if term["operator"] == "In" else "!="
    return str(selectors.FieldTerm(term.get("key", ""), sign, term["values"][0]))


def _parses(parse: Callable[[str], object], text: str | None) -> bool:
    try:
        parse(text or "")
    except (selectors.SelectorError, selectors.FieldSelectorError):
        return False
    return True


def _reads_field(term: Object) -> bool:
    return len(term.get("values") or ()) == 1 and term.get("operator") in {"In", "NotIn"}


def _reads_label(term: Object) -> bool:
    return term.get("operator") in _OPERATORS


_READERS: dict[str, tuple[Callable[[str], object], Callable[[Object], bool]]] = {
    "fieldSelector": (selectors.parse_field_selector, _reads_field),
    "labelSelector": (selectors.parse, _reads_label),
}
