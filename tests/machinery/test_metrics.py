import pytest

from pykube_cp.machinery.metrics import Counter, Gauge, Histogram, Read, exposition


def test_counters() -> None:
    counter = Counter("c_total", "How\nmany.", ("code", "verb"))
    counter.add("200", "GET")
    counter.add("200", "GET", amount=2)
    counter.add("404", 'a"b\\c\nd')
    assert exposition([counter]) == (
        "# HELP c_total How\\nmany.\n"
        "# TYPE c_total counter\n"
        'c_total{code="200",verb="GET"} 3\n'
        'c_total{code="404",verb="a\\"b\\\\c\\nd"} 1\n'
    )


def test_families_come_by_name_and_without_samples_not_at_all() -> None:
    plain, labelled = Counter("b", "B."), Gauge("a", "A.", ("x",))
    assert exposition([plain, labelled]) == "# HELP b B.\n# TYPE b counter\nb 0\n"
    labelled.set("1", to=2.5)
    labelled.add("1", amount=-1)
    assert exposition([plain, labelled]).splitlines()[2] == 'a{x="1"} 1.5'
    assert exposition([]) == ""


def test_histograms() -> None:
    histogram = Histogram("h", "H.", (1e-8, 0.5, 1, 1e6), ("name",))
    for value in (0.5, 0.25, 2, 5e6):
        histogram.observe(value, "n")
    assert exposition([histogram]).splitlines()[2:] == [
        'h_bucket{name="n",le="1e-08"} 0',
        'h_bucket{name="n",le="0.5"} 2',
        'h_bucket{name="n",le="1"} 2',
        'h_bucket{name="n",le="1e+06"} 3',
        'h_bucket{name="n",le="+Inf"} 4',
        'h_sum{name="n"} 5.00000275e+06',
        'h_count{name="n"} 4',
    ]


def test_series_at_hand() -> None:
    histogram = Histogram("h", "H.", (1,), ("name",))
    series = histogram.of("n")
    assert exposition([histogram]) == ""
    assert histogram.counted() == {}
    series.observe(2)
    assert histogram.of("n") is series
    assert exposition([histogram]).endswith('h_count{name="n"} 1\n')
    assert histogram.counted() == {("n",): 1}


def test_values_that_are_read_when_asked_for() -> None:
    found = {(): 20000}
    gauge = Read("gauge", "g", "G.", lambda: found)
    assert exposition([gauge]).endswith("\ng 20000\n")
    found[()] = 310575104
    assert exposition([gauge]).endswith("\ng 3.10575104e+08\n")


def test_labels_are_in_order() -> None:
    with pytest.raises(AssertionError):
        Counter("c", "C.", ("b", "a"))
