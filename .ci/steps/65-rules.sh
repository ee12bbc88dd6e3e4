# The Prometheus rules are rules, do what their unit tests say, and send people to pages that are there.
source .ci/lib.sh

rules=deploy/prometheus/settlewatch.rules.yaml
promtool check rules --lint=all --lint-fatal "$rules"
promtool test rules deploy/prometheus/settlewatch.rules.test.yaml
pages=$(sed -n 's/^ *runbook_url: //p' "$rules")
[[ $(wc -l <<<"$pages") -ge 9 ]] || die "$rules names fewer runbooks than it has alerts"
for page in $pages; do
    [[ -s $page ]] || die "$rules names $page, which is not there"
done
alerts=$(grep -c '^ *- alert: ' "$rules")
[[ $(wc -l <<<"$pages") -eq $alerts ]] || die "an alert of $rules has no runbook"
for alert in $(sed -n 's/^ *- alert: //p' "$rules"); do
    grep -qF "\`$alert\`" docs/operate.md || die "docs/operate.md does not name $alert"
done
# Every metric that a rule asks for is one that the service has.
metrics=$(cargo run --quiet --release --locked -p settlewatch -- metrics)
for metric in $(grep -o 'settlewatch_[a-z_]*' <(grep -v 'record:\|channel:\|channel_currency:' "$rules") | sort -u); do
    # A histogram is listed by its name, without what its series add to it.
    grep -q "^${metric%_bucket}" <<<"$metrics" || die "$rules asks for $metric, which the service does not have"
done
