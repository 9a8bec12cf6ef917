"""The order in which an object is judged, and what is said only once."""

from pykube_cp.machinery.field_errors import FieldError, Path, unique
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import Check, RuleContext, TypeRule
from pykube_cp.registry.validation import Validation, own_finalizers

DEPLOYMENT = GVK("apps", "v1", "Deployment")
_APPS, _META = "io.k8s.api.apps.v1.", "io.k8s.apimachinery.pkg.apis.meta.v1."


def says(text: str) -> Check:
    def check(_value: Object, path: Path, _ctx: RuleContext) -> list[FieldError]:
        return [FieldError.forbidden(path, text)]

    return check


RULES = (
    TypeRule(type=f"{_APPS}Deployment", validate=says("kind")),
    TypeRule(
        type=f"{_APPS}DeploymentSpec",
        validate=says("first"),
        order=("strategy", says("between"), "selector", says("last")),
    ),
    TypeRule(type=f"{_APPS}DeploymentStrategy", validate=says("strategy")),
    TypeRule(type=f"{_META}LabelSelector", validate=says("selector")),
    TypeRule(type="io.k8s.api.core.v1.PodTemplateSpec", validate=says("template")),
)
SPEC: Object = {"selector": {}, "template": {}, "strategy": {}}


def judge(obj: Object, old: Object | None = None) -> list[str]:
    return [error.detail for error in Validation(RULES).run(obj, DEPLOYMENT, old)]


def test_members_and_checks_come_as_the_rule_orders_them() -> None:
    expected = ["kind", "first", "strategy", "between", "selector", "last", "template"]
    assert judge({"spec": SPEC}) == expected


def test_what_did_not_change_is_passed_over_but_the_kind_itself() -> None:
    assert judge({"spec": SPEC}, {"spec": SPEC}) == ["kind"]


def test_a_spec_that_was_left_out_is_judged_as_an_empty_one() -> None:
    assert judge({}) == ["kind", "first", "between", "last"]


def test_of_two_errors_that_say_the_same_the_first_stays_where_it_is() -> None:
    one, other = (FieldError.forbidden(Path(name), "no") for name in ("a", "b"))
    again = FieldError.forbidden(Path("a"), "no").with_origin("x")
    found = unique([one, other, again])
    assert [error is wanted for error, wanted in zip(found, (one, other), strict=True)] == [
        True,
        True,
    ]


def test_finalizers_without_a_prefix_belong_to_the_system() -> None:
    obj = {"metadata": {"finalizers": ["kubernetes", "mine", "example.com/mine"]}}
    assert [error.field for error in own_finalizers(obj, DEPLOYMENT)] == ["metadata.finalizers[1]"]
    assert own_finalizers(obj, GVK("coordination.k8s.io", "v1", "Lease")) == []
    assert own_finalizers(obj, GVK("example.com", "v1", "Custom")) == []
