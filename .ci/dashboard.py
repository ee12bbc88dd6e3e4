"""The dashboard that ships is the one that its generator makes, and Grafana's models know all of it.

usage: dashboard.py GENERATED.json SHIPPED.json
"""

import json
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def read_back(text):
    return json.loads(JSONEncoder().encode(Dashboard.from_json(json.loads(text))))


def main(generated, shipped):
    made, held = open(generated).read(), open(shipped).read()
    assert made == held, f"{shipped} is not what its generator makes: write it again"
    register_default_plugins()
    assert read_back(held) == json.loads(held), "Grafana's models read something else than is written"
    unknown = {**json.loads(held), "titel": "settlement lag"}
    assert read_back(json.dumps(unknown)) != unknown, "Grafana's models take anything"
    print(f"{len(json.loads(held)['panels'])} panels, as generated, all known to Grafana's models")


main(*sys.argv[1:])
