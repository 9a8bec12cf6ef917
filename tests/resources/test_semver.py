import pytest

from pykube_cp.resources.shared import semver

ASCENDING = [
    "0.0.0-0",
    "0.0.0",
    "1.0.0-1",
    "1.0.0-2.a",
    "1.0.0-10",
    "1.0.0-a",
    "1.0.0-a.1",
    "1.0.0-a-b",
    "1.0.0",
    "1.0.1",
    "1.10.0",
]


def test_order() -> None:
    keys = [semver.key(text) for text in ASCENDING]
    assert None not in keys
    assert sorted(key for key in keys if key) == keys


def test_builds_do_not_count() -> None:
    assert semver.key("1.2.3-a+b.c") == semver.key("1.2.3-a")
    assert semver.key("0.0.0") == semver.ZERO


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "v1.2.3",
        "1.2.3.4",
        "01.2.3",
        "1.2.3-",
        "1.2.3-01",
        "1.2.3-a..b",
        "1.2.3+",
        "1.2.3+a..b",
        "1.2.3-a_b",
        f"{1 << 64}.0.0",
    ],
)
def test_no_versions(text: str) -> None:
    assert semver.key(text) is None
