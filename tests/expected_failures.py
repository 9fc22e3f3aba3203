"""Checks that a page is known to fail, and why. An entry whose check passes fails the build: remove it then."""

# (page, check, backend) -> reason
EXPECTED_FAILURES: dict[tuple[str, str, str], str] = {}
