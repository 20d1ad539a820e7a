"""JSON as RFC 8259 means it, which Python reads more generously."""

import json


def parse(raw: bytes) -> object:
    """Return what `raw` holds; raise ValueError.

    No doubled keys, of which each reader picks another one; no NaN; no half
    characters, which can be neither hashed nor printed.
    """
    try:
        parsed: object = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_without_doubles,
            parse_constant=_no_constant,
        )
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("too deep") from None
    return parsed


def written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is doubled")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
