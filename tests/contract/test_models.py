"""Every page times every check; a new page or a new check is picked up by being there."""

from functools import cache

import keras
import pytest

from maquette import catalog
from tests.contract.checks import CHECKS
from tests.contract.subject import Subject
from tests.expected_failures import EXPECTED_FAILURES

BACKENDS = ("jax", "tensorflow", "torch")


@cache
def subject(name: str) -> Subject:
    return Subject(catalog.pages("models")[name])


def _cases():
    for page in catalog.pages("models"):
        for check in CHECKS:
            reason = EXPECTED_FAILURES.get((page, check, keras.backend.backend()))
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            yield pytest.param(page, check, marks=marks, id=f"{page}-{check.removeprefix('check_')}")


@pytest.mark.parametrize(("page", "check"), list(_cases()))
def test_page(page, check):
    CHECKS[check](subject(page))


def test_expected_failures_are_of_pages_and_checks_that_exist():
    for (page, check, backend), reason in EXPECTED_FAILURES.items():
        assert page in catalog.pages("models") and check in CHECKS and backend in BACKENDS and reason
