"""Arithmetic of quantities; texts are in the recorded cases."""

import pytest

from pykube_cp.machinery.quantity import ZERO, Quantity, QuantityError, parse


def test_arithmetic_keeps_the_first_format() -> None:
    assert str(parse("1Gi") + parse("1G")) == "2073741824"
    assert str(parse("1Gi") + parse("512Mi")) == "1536Mi"
    assert str(ZERO + parse("1Gi")) == "1Gi"
    assert str(parse("1") - parse("1100m")) == "-100m"
    assert str(-parse("1Ki")) == "-1Ki"
    assert str(parse("100m").mul(25)) == "2500m"


def test_comparison_is_by_amount() -> None:
    assert parse("1000m") == parse("1") == parse("1e0")
    assert hash(parse("1000m")) == hash(parse("1"))
    assert parse("1Gi") > parse("1G")
    assert max(ZERO, parse("-1")) is ZERO
    assert parse("1k").cmp_int(999) == 1


def test_integers_round_away_from_zero() -> None:
    assert parse("1m").value() == 1
    assert parse("-1m").value() == -1
    assert parse("1n").milli_value() == 1
    assert parse("1500m").scaled_value(0) == 2
    assert parse("1500m").as_int() is None
    assert str(parse("1.234567").round_up(-3)) == "1235m"


def test_huge_exponents_cost_nothing() -> None:
    assert str(parse("1e2000000000")) == "100e1999999998"
    assert parse("1e2000000000") > parse("1Ei")
    assert str(parse("1e-2000000000")) == "1e-9"
    with pytest.raises(QuantityError):
        parse("9" * 5000)


def test_made_from_numbers() -> None:
    assert str(Quantity.from_milli(1500)) == "1500m"
    assert str(Quantity.from_value(1 << 30, "BinarySI")) == "1Gi"


def test_large_amounts_begin_anew_in_64_bits() -> None:
    assert parse("9223372036854775807").int64_value() == (1 << 63) - 1
    assert parse("9223372036854775808").int64_value() == -(1 << 63)
    assert parse("-1500m").int64_value() == parse("-1500m").value() == -2
