"""Checks what the chart renders: against the schemas of three Kubernetes versions, and with each other.

usage: chart.py RENDERED.yaml CONFIGURATION.yaml    (the second is written: what the ConfigMap holds)
"""

import copy
import json
import sys

import kubernetes_validate
import yaml

VERSIONS = ["1.29", "1.33", "1.37"]
# Its schema is the Prometheus operator's.
FOREIGN = {"ServiceMonitor", "PrometheusRule"}
DASHBOARD = "deploy/grafana/settlement-lag.json"
RULES = "deploy/prometheus/settlewatch.rules.yaml"
# As .ci/steps/66-chart.sh sets it.
DOCS = "https://git.example.com/docs"


def check(manifest, version):
    kubernetes_validate.validate(manifest, version, strict=True)


def refuses(manifest, version):
    """Whether an unknown field is found: a check that cannot fail is none."""
    broken = copy.deepcopy(manifest)
    broken["spec"]["replicaz"] = 1
    try:
        check(broken, version)
    except kubernetes_validate.ValidationError:
        return True
    return False


def service_is_right(workload, service, probes):
    """Ports, probes and rights of a pod, and the Service before it."""
    pod = workload["spec"]["template"]["spec"]
    container = pod["containers"][0]
    ports = {port["name"] for port in container["ports"]}
    for probe in probes:
        assert container[probe]["httpGet"]["port"] in ports, probe
    assert service["spec"]["ports"][0]["targetPort"] in ports
    security = container["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] and security["readOnlyRootFilesystem"]
    assert security["capabilities"]["drop"] == ["ALL"] and not security["allowPrivilegeEscalation"]


def rules_are_ours(rendered):
    """The rules are those of deploy/prometheus, but that each page has a whole address."""
    rules = yaml.safe_load(open(RULES))
    pages = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    assert pages, f"{RULES} has no alert"
    for page in pages:
        page["annotations"]["runbook_url"] = page["annotations"]["runbook_url"].replace("docs", DOCS, 1)
    assert rendered["spec"] == rules, "the chart has other rules than deploy/prometheus"


def named(manifests, ending):
    """The manifests of a part, by kind."""
    return {one["kind"]: one for one in manifests if one["metadata"]["name"].endswith(ending)}


def pods_are_selected(kinds):
    """Each selector takes the pods of its StatefulSet. Its labels."""
    labels = kinds["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    for kind, path in [
        ("StatefulSet", ["selector", "matchLabels"]),
        ("Service", ["selector"]),
        ("PodDisruptionBudget", ["selector", "matchLabels"]),
    ]:
        selector = kinds[kind]["spec"]
        for step in path:
            selector = selector[step]
        assert selector and selector.items() <= labels.items(), f"{kind} selects {selector}, pods have {labels}"
    service_is_right(kinds["StatefulSet"], kinds["Service"], ["livenessProbe", "readinessProbe", "startupProbe"])
    return labels


def roles(kinds):
    """What the environment makes of the roles; nothing where the configuration says them."""
    container = kinds["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]
    return [yaml.safe_load(one["value"]) for one in container["env"] if one["name"] == "SETTLEWATCH__ROLES"]


def split_is_right(kinds, watch):
    """Together every pod has the roles of the configuration; apart each role is somebody's, and nobody's twice."""
    labels = pods_are_selected(kinds)
    if not watch:
        assert roles(kinds) == [], roles(kinds)
        return
    assert set(watch) == {"StatefulSet", "Service", "PodDisruptionBudget"}, f"rendered {sorted(watch)} for the watch"
    assert pods_are_selected(watch).items() != labels.items(), "lanes and watch select each other"
    shared = sorted(role for part in [kinds, watch] for role in roles(part)[0])
    assert shared == ["join", "notify", "watch"], f"apart, the roles are {shared}"
    for one, other in [(kinds, watch), (watch, kinds)]:
        selector = one["StatefulSet"]["spec"]["selector"]["matchLabels"]
        taken = other["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
        assert not selector.items() <= taken.items(), "a StatefulSet takes the other's pods for its own"


def main(rendered, configuration):
    manifests = [one for one in yaml.safe_load_all(open(rendered)) if one]
    boards = [one for one in manifests if one["metadata"]["name"].endswith("-dashboards")]
    canary, watch = named(manifests, "-canary"), named(manifests, "-watch")
    kinds = {one["kind"]: one for one in manifests if one not in [*boards, *canary.values(), *watch.values()]}
    wanted = {"StatefulSet", "Service", "ConfigMap", "PodDisruptionBudget", "ServiceMonitor", "PrometheusRule"}
    assert set(kinds) == wanted, f"rendered {sorted(kinds)}"
    for version in VERSIONS:
        for manifest in manifests:
            if manifest["kind"] not in FOREIGN:
                check(manifest, version)
        assert refuses(kinds["StatefulSet"], version), f"{version} accepts anything"
    split_is_right(kinds, watch)
    rules_are_ours(kinds["PrometheusRule"])
    assert set(canary) == {"Deployment", "Service"}, f"rendered {sorted(canary)} for the canary"
    service_is_right(canary["Deployment"], canary["Service"], ["livenessProbe"])
    its_labels = canary["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert canary["Service"]["spec"]["selector"] == its_labels
    selector = kinds["StatefulSet"]["spec"]["selector"]["matchLabels"]
    assert not selector.items() <= its_labels.items(), "the StatefulSet takes the canary for its own"
    monitored = kinds["ServiceMonitor"]["spec"]["selector"]["matchLabels"]
    if watch:
        assert monitored.items() <= watch["Service"]["metadata"]["labels"].items(), "nobody scrapes the watch"
    assert monitored.items() <= canary["Service"]["metadata"]["labels"].items(), "nobody scrapes the canary"
    assert [one["metadata"]["labels"]["grafana_dashboard"] for one in boards] == ["1"]
    board = boards[0]["data"]["settlement-lag.json"]
    assert json.loads(board) == json.load(open(DASHBOARD)), "the chart has another dashboard than deploy/grafana"
    with open(configuration, "w") as file:
        file.write(kinds["ConfigMap"]["data"]["settlewatch.yaml"])
    print(f"{len(manifests)} manifests, valid in {', '.join(VERSIONS)}")


main(*sys.argv[1:])
