"""Every query of every panel, against a Prometheus that scrapes a live service."""

import json
import math
import re
import time

from waiting import get_json, until

# What Grafana puts in the place of its variables: a channel, or all of them.
CHANNELS = [("unionpay_qr", "CNY"), (".*", ".*")]
# Four scrapes of a second, as Grafana computes it.
RATE_INTERVAL = "4s"


def filled(expr, channel, currency):
    for name, value in [("channel", channel), ("currency", currency), ("__rate_interval", RATE_INTERVAL)]:
        expr = expr.replace("${" + name + "}", value)
        expr = re.sub(rf"\${name}\b", lambda _: value, expr)
    assert "$" not in expr, f"a variable that the check does not know: {expr}"
    return expr


def queries(model):
    """Panel, and what it asks for."""
    for panel in model["panels"]:
        if panel["type"] == "row":
            continue
        title = panel["title"]
        assert panel.get("description", "").endswith("."), f"{title} has no description"
        assert panel["fieldConfig"]["defaults"].get("unit"), f"{title} has no unit"
        assert panel["targets"], f"{title} asks for nothing"
        for target in panel["targets"]:
            yield title, target["expr"]


def is_real(base, expr):
    """Whether there is a sample that is a number: neither NaN nor, since queries say so in other ways, infinite."""
    answer = get_json(f"{base}/api/v1/query", query=expr)
    if answer is None:
        return False
    assert answer["status"] == "success", answer
    values = [float(one["value"][1]) for one in answer["data"]["result"]]
    return any(math.isfinite(value) for value in values)


def all_answer(base, model):
    """Waits until each query has answered once. How many there are."""
    open_queries = {
        (title, filled(expr, channel, currency)) for title, expr in queries(model) for channel, currency in CHANNELS
    }
    count = len(open_queries)

    def none_is_open():
        for one in sorted(open_queries):
            if is_real(base, one[1]):
                open_queries.discard(one)
        return not open_queries

    until(lambda: "\n".join(f"{title}: {expr}" for title, expr in sorted(open_queries)), none_is_open)
    return count


def variables_have_values(base, model):
    for variable in model["templating"]["list"]:
        if variable["type"] != "query":
            continue
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()
        values = get_json(f"{base}/api/v1/label/{label}/values", **{"match[]": metric, "start": time.time() - 600})
        assert values and values["data"], f"no values for {variable['name']}"


def check(base, path):
    model = json.load(open(path))
    for wrong in ["settlewatch_no_such_metric", "sum(settlewatch_payments_total) * NaN"]:
        assert not is_real(base, wrong), f"{wrong} passes: the check cannot fail"
    count = all_answer(base, model)
    variables_have_values(base, model)
    print(f"dashboard: {count} queries of {path}, each with a real sample")
