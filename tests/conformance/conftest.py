import sys
from pathlib import Path

import pytest

CONFORMANCE = Path(__file__).resolve().parents[2] / "conformance"
for folder in (CONFORMANCE, CONFORMANCE / "checks", CONFORMANCE / "images"):
    sys.path.append(str(folder))


@pytest.fixture
def conformance() -> Path:
    return CONFORMANCE
