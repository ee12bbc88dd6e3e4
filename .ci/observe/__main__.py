"""A live demo seen through a real Prometheus and a real Alertmanager, with what deploy/ ships.

usage: python3 .ci/observe BINARY FOLDER    (needs PyYAML, prometheus, prometheus-alertmanager)
"""

import contextlib
import pathlib
import shutil
import sys

import configurations
import dashboard
import metrics
import pages
import programs
import rules
from sink import Sink
from waiting import get

RULES = "deploy/prometheus/settlewatch.rules.yaml"
ROUTES = "deploy/alertmanager/alertmanager.yaml"
DASHBOARD = "deploy/grafana/settlement-lag.json"


def main(binary, folder):
    folder = pathlib.Path(folder).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    demo_port, manager_port, port = (programs.free_port() for _ in range(3))
    base, manager = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{manager_port}"
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(Sink())
        quick = configurations.rules(RULES)
        rules_file = configurations.write(folder / "rules.yaml", quick)
        routes = configurations.alertmanager(ROUTES, sink.port)
        routes_file = configurations.write(folder / "alertmanager.yaml", routes)
        scrape = configurations.prometheus(rules_file, demo_port, manager_port)
        scrape_file = configurations.write(folder / "prometheus.yaml", scrape)
        stack.enter_context(programs.alertmanager(folder, manager_port, routes_file))
        demo = stack.enter_context(programs.demo(binary, folder, demo_port))
        stack.enter_context(programs.prometheus(folder, port, scrape_file))
        pages.incident_is_paged(sink, manager)
        pages.none_by_channel(sink, base)
        pages.worse_keeps_silent(sink, manager, quick)
        pages.blind_keeps_channels_silent(sink, manager, quick)
        metrics.check(f"http://127.0.0.1:{demo_port}/metrics")
        rules.check(base, quick)
        dashboard.check(base, DASHBOARD)
        demo.ends_well()
        pages.down_is_paged(sink, manager)
        pages.judge(sink)
        pages.through_v2(get(f"{manager}/metrics"))


main(*sys.argv[1:])
