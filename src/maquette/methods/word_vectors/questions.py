"""A question to word vectors as people write it: "king", "king - man + woman", "man : king :: woman"."""

import re


def parse_question(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that are added and those that are taken off, in lower case.

    "a : b :: c" asks what is to c as b is to a, and is b - a + c.
    """
    text = text.lower()
    analogy = re.fullmatch(r"\s*(\S+)\s*:\s*(\S+)\s*::\s*(\S+)\s*\??\s*", text)
    if analogy:
        a, b, c = analogy.groups()
        return (b, c), (a,)
    plus: list[str] = []
    minus: list[str] = []
    sign = plus
    for part in text.split():
        if part in ("+", "-"):
            sign = plus if part == "+" else minus
            continue
        sign.append(part)
        sign = plus
    return tuple(plus), tuple(minus)
