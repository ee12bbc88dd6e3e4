"""Configurations for a quick test: what ships, with its waiting shortened. Thresholds, labels and routes are as shipped."""

import re

import yaml

# A minute of the shipped files is a second here: `for` and `keep_firing_for` of the rules, and the waiting of the routes.
FASTER = 60
UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def faster(duration):
    ms = sum(int(count) * UNITS_MS[unit] for count, unit in re.findall(r"(\d+)(ms|[smhd])", duration))
    return f"{max(ms // FASTER, 1)}ms"


def rules(shipped):
    made = yaml.safe_load(open(shipped))
    for group in made["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            for key in {"for", "keep_firing_for"} & rule.keys():
                rule[key] = faster(rule[key])
    return made


def alertmanager(shipped, sink_port):
    made = yaml.safe_load(open(shipped))

    def hasten(route):
        # `repeat_interval` stays: within the test, a page that comes twice is a fault.
        for key in {"group_wait", "group_interval"} & route.keys():
            route[key] = faster(route[key])
        for child in route.get("routes", []):
            hasten(child)

    hasten(made["route"])
    for receiver in made["receivers"]:
        for webhook in receiver["webhook_configs"]:
            webhook["url"] = f"http://127.0.0.1:{sink_port}/{receiver['name']}"
    return made


def prometheus(rules_file, demo_port, alertmanager_port):
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules_file)],
        "scrape_configs": [{"job_name": "settlewatch", "static_configs": [{"targets": [f"127.0.0.1:{demo_port}"]}]}],
        "alerting": {
            "alertmanagers": [
                {"api_version": "v2", "static_configs": [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]}
            ]
        },
    }


def write(path, value):
    path.write_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))
    return path
