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
FOREIGN = {"ServiceMonitor"}
DASHBOARD = "deploy/grafana/settlement-lag.json"


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


def main(rendered, configuration):
    manifests = [one for one in yaml.safe_load_all(open(rendered)) if one]
    boards = [one for one in manifests if one["metadata"]["name"].endswith("-dashboards")]
    kinds = {one["kind"]: one for one in manifests if one not in boards}
    wanted = {"StatefulSet", "Service", "ConfigMap", "PodDisruptionBudget", "ServiceMonitor"}
    assert set(kinds) == wanted, f"rendered {sorted(kinds)}"
    for version in VERSIONS:
        for manifest in manifests:
            if manifest["kind"] not in FOREIGN:
                check(manifest, version)
        assert refuses(kinds["StatefulSet"], version), f"{version} accepts anything"
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
    pod = kinds["StatefulSet"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    ports = {port["name"] for port in container["ports"]}
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"]:
        assert container[probe]["httpGet"]["port"] in ports, probe
    assert kinds["Service"]["spec"]["ports"][0]["targetPort"] in ports
    security = container["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] and security["readOnlyRootFilesystem"]
    assert security["capabilities"]["drop"] == ["ALL"] and not security["allowPrivilegeEscalation"]
    assert [one["metadata"]["labels"]["grafana_dashboard"] for one in boards] == ["1"]
    board = boards[0]["data"]["settlement-lag.json"]
    assert json.loads(board) == json.load(open(DASHBOARD)), "the chart has another dashboard than deploy/grafana"
    with open(configuration, "w") as file:
        file.write(kinds["ConfigMap"]["data"]["settlewatch.yaml"])
    print(f"{len(manifests)} manifests, valid in {', '.join(VERSIONS)}")


main(*sys.argv[1:])
