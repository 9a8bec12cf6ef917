import pytest

from pykube_cp.registry.enablement import RuntimeConfigError, parse
from pykube_cp.resources.catalog import builtin


def served(text: str) -> set[str]:
    catalog = builtin(parse(text))
    return {f"{row.group}/{row.version}/{row.plural}" for row in catalog.all()}


def test_particular_settings_decide() -> None:
    found = served("api/all=false, scheduling.k8s.io/v1 = true,resource.k8s.io/v1/deviceclasses")
    assert found == {
        "scheduling.k8s.io/v1/priorityclasses",
        "resource.k8s.io/v1/deviceclasses",
    }


def test_a_resource_alone_may_be_off() -> None:
    found = served("apps/v1/deployments=false")
    assert served("") - found == {"apps/v1/deployments"}


def test_later_switches_overrule_earlier_ones() -> None:
    found = served("api/alpha=false,api/all=true")
    assert "coordination.k8s.io/v1beta1/leasecandidates" in found
    assert "coordination.k8s.io/v1alpha2/leasecandidates" not in found


def test_versions_that_nobody_serves_are_known() -> None:
    assert served("apps/v1beta1=true") == served("")


@pytest.mark.parametrize("name", ["v1", "api/v1", "/v1", "v1/pods"])
def test_names_of_the_core_group(name: str) -> None:
    assert not any(found.startswith("/v1/") for found in served(f"{name}=false,api/legacy"))


@pytest.mark.parametrize("word", ["1", "t", "TRUE", ""])
def test_truths(word: str) -> None:
    setting = f"certificates.k8s.io/v1beta1={word}"
    assert "certificates.k8s.io/v1beta1/clustertrustbundles" in served(setting)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        # What kube-apiserver v1.37.2 says.
        ("api/all=false", "invalid runtime-config with only api/all=false"),
        ("api/all=1", "invalid value api/all=1"),
        ("v2=true", "runtime-config invalid key v2"),
        ("foo/v1,bar/v2=true", "unknown api groups bar/v2,foo/v1"),
        ("apps/v9=true", "group version apps/v9 that has not been registered"),
        ("/v9=true", "group version v9 that has not been registered"),
        (
            "apps/v1=yes",
            'invalid value of apps/v1: yes, err: strconv.ParseBool: parsing "yes": invalid syntax',
        ),
        (
            "apps/v1/Deployments=true",
            (
                "invalid key apps/v1/Deployments: group/version/resource and resource is always "
                'lowercase plural, not "Deployments"'
            ),
        ),
    ],
)
def test_errors(text: str, error: str) -> None:
    with pytest.raises(RuntimeConfigError) as caught:
        served(text)
    assert str(caught.value) == error
