"""The chain, and what it measures."""

from collections.abc import Iterator

import pytest

from pykube_cp.admission import chain
from pykube_cp.admission.base import WRITES, BasePlugin
from pykube_cp.admission.chain import AdmissionChain
from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.user import ANONYMOUS

CREATE = Attributes(
    operation=Operation.CREATE,
    resource=GVR("", "v1", "pods"),
    kind=GVK("", "v1", "Pod"),
    name="p",
    namespace="n",
    user=ANONYMOUS,
)


class Changes(BasePlugin):
    name = "Changes"
    operations = WRITES

    async def admit(self, attributes: Attributes) -> None:
        attributes.warnings.append("changed")


class Refuses(BasePlugin):
    name = "Refuses"

    async def validate(self, attributes: Attributes) -> None:
        raise errors.bad_request("no")


class Elsewhere(Changes):
    name = "Elsewhere"
    resources = frozenset({("apps", "deployments")})


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Others measure, too: what they have is kept aside."""
    kept = [(metric, metric.series) for metric in chain.METRICS]
    for metric in chain.METRICS:
        metric.series = {}
    yield
    for metric, series in kept:
        metric.series = series


async def test_each_plugin_is_measured_in_what_it_does() -> None:
    made = AdmissionChain([Changes(), Refuses(), Changes(), Elsewhere()])
    assert await made.admit(CREATE)
    with pytest.raises(errors.StatusError):
        await made.validate(CREATE)
    assert chain.STEPS.counted() == {
        ("CREATE", "false", "admit"): 1,
        ("CREATE", "true", "validate"): 1,
    }
    assert chain.CONTROLLERS.counted() == {
        ("Changes", "CREATE", "false", "admit"): 2,
        ("Refuses", "CREATE", "true", "validate"): 1,
    }


async def test_without_anyone_who_cares() -> None:
    made = AdmissionChain([Elsewhere()])
    assert not await made.admit(CREATE)
    assert chain.STEPS.counted() == {("CREATE", "false", "admit"): 1}
    assert chain.CONTROLLERS.counted() == {}
