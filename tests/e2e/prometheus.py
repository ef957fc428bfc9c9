"""A strict reader of Prometheus' text format 0.0.4: anything that the format doesn't allow is a ValueError."""
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([^ ]+)")
TYPES = {"counter", "gauge", "histogram"}


def number(text):
    if text in ("+Inf", "-Inf", "NaN"):
        return {"+Inf": math.inf, "-Inf": -math.inf, "NaN": math.nan}[text]
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", text):
        raise ValueError(f"not a number: {text!r}")
    return float(text)


def family_of(name, families):
    """The family that a sample belongs to: a histogram's have endings."""
    for ending in ("_bucket", "_sum", "_count"):
        base = name.removesuffix(ending)
        if base != name and families.get(base, {}).get("type") == "histogram":
            return base
    return name


def read(text):
    """{name: {"type", "help", "samples": {labels: value}}}; a histogram's samples are checked and kept by their own
    names."""
    families, current, seen = {}, None, set()
    if not text.endswith("\n"):
        raise ValueError("the last line doesn't end")
    for at, line in enumerate(text[:-1].split("\n"), 1):
        try:
            current = read_line(line, families, current, seen)
        except ValueError as error:
            raise ValueError(f"line {at}: {error}: {line!r}") from None
    for name, family in families.items():
        if family["type"] is None:
            raise ValueError(f"{name} has no type")
        if family["type"] == "histogram":
            check_histogram(name, family["samples"])
        if family["type"] == "counter" and not name.endswith("_total"):
            raise ValueError(f"{name} is a counter and doesn't end in _total")
    return families


def read_line(line, families, current, seen):
    comment = re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (.+)", line)
    if comment:
        what, name, rest = comment.groups()
        if what == "HELP":
            if name in families:
                raise ValueError("a second HELP")
            families[name] = {"help": rest, "type": None, "samples": {}}
        else:
            if name != current or families[name]["type"] is not None or families[name]["samples"]:
                raise ValueError("TYPE doesn't follow its HELP")
            if rest not in TYPES:
                raise ValueError("unknown type")
            families[name]["type"] = rest
        return name
    sample = SAMPLE.fullmatch(line)
    if not sample:
        raise ValueError("neither a comment nor a sample")
    name, labels, value = sample.groups()
    family = family_of(name, families)
    if family != current:
        raise ValueError("a sample outside of its family")
    key = (name, labels or "")
    if key in seen:
        raise ValueError("the same sample twice")
    seen.add(key)
    value = number(value)
    if families[family]["type"] != "gauge" and not value >= 0:
        raise ValueError("a count below zero")
    families[family]["samples"][key] = value
    return current


def check_histogram(name, samples):
    last, before = -math.inf, 0
    for (sample, labels), value in samples.items():
        if sample != f"{name}_bucket":
            continue
        bound = number(re.fullmatch(r'le="([^"]+)"', labels).group(1))
        if bound <= last or value < before:
            raise ValueError(f"{name}: buckets don't grow at {labels}")
        last, before = bound, value
    if last != math.inf or samples.get((f"{name}_count", "")) != before or (f"{name}_sum", "") not in samples:
        raise ValueError(f"{name}: buckets, sum and count don't belong together")
