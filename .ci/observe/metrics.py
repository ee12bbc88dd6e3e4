"""The metrics of a live service, as promtool's linter sees them."""

import subprocess

from waiting import get

# What promtool says that we do not follow: the label is in the public contract, and the gauge cannot be a summary, whose
# quantiles know nothing of those who still wait.
DISAGREED = 'settlewatch_credit_lag_quantile_seconds non-summary metrics should not have "quantile" label'


def check(address):
    text = get(address)
    told = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    said = (told.stdout + told.stderr).splitlines()
    assert DISAGREED in said, f"promtool checked nothing: {said}"
    wrong = [line for line in said if line != DISAGREED]
    assert not wrong, wrong
    print(f"metrics: promtool has nothing else to say of {len(text.splitlines())} lines")
