"""The rules in a running Prometheus: loaded, healthy, and what they record has samples."""

from dashboard import is_real
from waiting import get_json, until


def loaded(base):
    answer = get_json(f"{base}/api/v1/rules")
    return [rule for group in answer["data"]["groups"] for rule in group["rules"]] if answer else []


def check(base, shipped):
    wanted = [rule for group in shipped["groups"] for rule in group["rules"]]
    until("every rule was evaluated", lambda: len(loaded(base)) == len(wanted) and _healthy(base))
    names = [rule["record"] for rule in wanted if "record" in rule]
    assert names, "no rule records anything"
    for name in names:
        until(f"{name} has a sample", lambda: is_real(base, name))
    print(f"rules: {len(wanted)} healthy, {len(names)} of them record samples")


def _healthy(base):
    rules = loaded(base)
    wrong = [rule for rule in rules if rule["health"] == "err"]
    assert not wrong, wrong
    return all(rule["health"] == "ok" for rule in rules)
