# A live demo through a real Prometheus and a real Alertmanager: every query of the dashboard has a sample, the rules
# record, and the page for the incident of the channel that stands still arrives once and resolves, none beside it.
source .ci/lib.sh

need prometheus prometheus
need promtool prometheus
need prometheus-alertmanager prometheus-alertmanager
need amtool prometheus-alertmanager
amtool check-config deploy/alertmanager/alertmanager.yaml >/dev/null || die "the example of routes is none"

python=$(tools_dir)/bin/python3
dir=$(target_dir)/ci-observe
mkdir -p "$dir"
"$python" deploy/grafana/settlement_lag.py >"$dir/settlement-lag.json"
"$python" .ci/dashboard.py "$dir/settlement-lag.json" deploy/grafana/settlement-lag.json

cargo build --quiet --release --locked -p settlewatch
"$python" .ci/observe "$(target_dir)/release/settlewatch" "$dir/run"
