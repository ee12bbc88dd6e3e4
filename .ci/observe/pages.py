"""The page for the incident of the channel that stands still: it arrives, once, with what on-call needs, and resolves; no
page by channel comes beside it. And pages that others keep silent.
"""

import datetime
import time

from dashboard import is_real
from waiting import get_json, post_json, until

# The first channel of the demo's story.
CHANNEL = "unionpay_qr"
# No channel of the demo: its alerts are told by hand. Its pages come once nobody is blind.
UNSEEN = "unseen"
# What stands in for incidents while no watch is active.
BY_CHANNEL = ["SettlewatchPaymentsOverdue", "SettlewatchMoneyAtRisk", "SettlewatchChannelCongested"]
# Many times what a page waits for others of its group (`group_wait`, shortened).
SILENCE_S = 3


def alerts_of(notification, status):
    return {one["fingerprint"]: one for one in notification["alerts"] if one["status"] == status}


def by_group(notifications):
    groups = {}
    for one in notifications:
        groups.setdefault(one["groupKey"], []).append(one)
    return groups


def incidents_of(sink, channel):
    """What came of incidents of this channel, by what on-call sees as one page."""
    came = [one for one in sink.notifications() if one["groupLabels"].get("channel") == channel]
    return by_group([one for one in came if "verdict" in one["groupLabels"]])


def suppressed(manager, **labels):
    """Alerts with these labels that another one keeps silent."""
    alerts = get_json(f"{manager}/api/v2/alerts") or []
    fitting = [one for one in alerts if labels.items() <= one["labels"].items()]
    return [one for one in fitting if one["status"]["state"] == "suppressed" and one["status"]["inhibitedBy"]]


def incident_is_paged(sink, manager):
    """The fault of the channel is a page, and it is over in the end."""
    until(f"a page for an incident of {CHANNEL}", lambda: incidents_of(sink, CHANNEL))
    until(
        f"the pages for incidents of {CHANNEL} resolve",
        lambda: all(_is_over(came) for came in incidents_of(sink, CHANNEL).values()),
    )


def none_by_channel(sink, base):
    """What would page by channel is there, and does not, because a watch is active."""
    # How many, not how much: amounts of the demo have long tails, and those of its short stop may be small.
    overdue = f'max_over_time(channel:settlewatch_overdue_payments:sum{{channel="{CHANNEL}"}}[10m]) >= 10'
    assert is_real(base, overdue), "too few payments were overdue: nothing was kept silent"
    for name in BY_CHANNEL:
        fired = f'last_over_time(ALERTS{{alertname="{name}",alertstate="firing"}}[10m])'
        assert not is_real(base, fired), f"{name} fired while a watch was active"
    assert is_real(base, 'last_over_time(ALERTS{alertname="SettlewatchIncident",alertstate="firing"}[10m])')


def _is_over(came):
    return came and came[-1]["status"] == "resolved"


def tell(manager, rules, name, over=False, **labels):
    """Tells Alertmanager of an alert as Prometheus would by the shipped rule: its labels, its annotations."""
    (rule,) = [rule for group in rules["groups"] for rule in group["rules"] if rule.get("alert") == name]
    alert = {"labels": {"alertname": name, **rule.get("labels", {}), **labels}, "annotations": rule["annotations"]}
    if over:
        alert["endsAt"] = datetime.datetime.now(datetime.timezone.utc).isoformat()
    assert post_json(f"{manager}/api/v2/alerts", [alert]) == 200


def worse_keeps_silent(sink, manager, rules):
    """Of one channel the critical page keeps the warning silent, and the incident both; another incident of the channel
    it does not.
    """
    channel = UNSEEN + "-worse"
    told = []

    def say(name, **labels):
        told.append((name, {"channel": channel, **labels}))
        tell(manager, rules, name, channel=channel, **labels)

    say("SettlewatchIncident", verdict="CHANNEL_DOWN", severity="critical")
    until("a page for the incident", lambda: incidents_of(sink, channel))
    say("SettlewatchIncident", verdict="AMOUNT_MISMATCH", severity="warning")
    say("SettlewatchMoneyAtRisk", currency="CNY")
    say("SettlewatchPaymentsOverdue")
    for labels in [
        {"alertname": "SettlewatchMoneyAtRisk"},
        {"alertname": "SettlewatchPaymentsOverdue"},
    ]:
        until(f"the incident keeps {labels} silent", lambda: suppressed(manager, channel=channel, **labels))
    until("another fault of the channel is paged", lambda: len(incidents_of(sink, channel)) == 2)
    # The worst last: what it keeps silent is not to come.
    for name, labels in reversed(told[:2]):
        tell(manager, rules, name, over=True, **labels)
    until("without it the critical one is paged", lambda: _of_group(sink, channel=channel))
    assert suppressed(manager, alertname="SettlewatchPaymentsOverdue", channel=channel)
    # The warning first: it is not to come because the other one is over.
    for name, labels in reversed(told[2:]):
        tell(manager, rules, name, over=True, **labels)
    print("incidents: kept silent what they explain, and nothing else")


def _of_group(sink, **labels):
    return [one for one in sink.notifications() if one["groupLabels"] == labels]


def blind_keeps_channels_silent(sink, manager, rules):
    """While a stream is not seen, what is known of channels is old: no page of theirs, of either severity, until it is
    seen again.
    """

    def of_unseen():
        return [one for one in sink.notifications() if one["groupLabels"].get("channel") == UNSEEN]

    tell(manager, rules, "SettlewatchBlind", stream="credits")
    until("a page that we are blind", lambda: [one for one in sink.notifications() if _names(one, "SettlewatchBlind")])
    tell(manager, rules, "SettlewatchMoneyAtRisk", channel=UNSEEN, currency="CNY")
    tell(manager, rules, "SettlewatchPaymentsOverdue", channel=UNSEEN + "-warning")
    for channel in [UNSEEN, UNSEEN + "-warning"]:
        until(f"being blind keeps {channel} silent", lambda: suppressed(manager, channel=channel))
    time.sleep(SILENCE_S)
    assert not of_unseen(), f"paged while blind: {of_unseen()}"
    tell(manager, rules, "SettlewatchPaymentsOverdue", channel=UNSEEN + "-warning", over=True)
    tell(manager, rules, "SettlewatchBlind", stream="credits", over=True)
    until("what was kept silent is paged once we see again", of_unseen)
    tell(manager, rules, "SettlewatchMoneyAtRisk", channel=UNSEEN, currency="CNY", over=True)
    warned = [one for one in sink.notifications() if one["groupLabels"].get("channel") == UNSEEN + "-warning"]
    assert not warned, f"paged although over before we saw again: {warned}"
    print("blind: pages of channels were kept silent, and came once it was over")


def down_is_paged(sink, manager):
    """Nobody watches: that page comes, and keeps those of channels silent, of which nothing is known any more."""
    until("a page that nobody watches", lambda: [one for one in sink.notifications() if _names(one, "SettlewatchDown")])
    labels = {"alertname": "SettlewatchMoneyAtRisk", "severity": "critical", "channel": "rehearsal"}
    assert post_json(f"{manager}/api/v2/alerts", [{"labels": labels}]) == 200
    until("it keeps a page of a channel silent", lambda: suppressed(manager, channel="rehearsal"))


def _names(notification, alert):
    return notification["groupLabels"].get("alertname") == alert


def judge(sink):
    """Over everything that came: nothing twice, and each with what on-call needs."""
    notifications = sink.notifications()
    for group, came in by_group(notifications).items():
        announced = set()
        for one in came:
            news = {(key, alert["startsAt"]) for key, alert in alerts_of(one, "firing").items()} - announced
            over = alerts_of(one, "resolved")
            assert news or over, f"{group} came again without news: {one['alerts']}"
            announced |= news
            for alert in one["alerts"]:
                _has_all(one, alert)
    opened = 0
    for group, came in incidents_of(sink, CHANNEL).items():
        statuses = [one["status"] for one in came]
        assert statuses == ["firing", "resolved"] * (len(came) // 2), f"{group} was paged {statuses}"
        opened += len(came) // 2
    assert opened, f"no incident of {CHANNEL}"
    assert not _of_group(sink, channel=CHANNEL), f"{CHANNEL} was paged beside its incident"
    assert not [one for one in notifications if one["groupLabels"].get("channel") == "rehearsal"]
    pages = [one for one in notifications if one["receiver"] == "oncall"]
    print(f"pages: {len(notifications)} notifications, {len(pages)} to on-call, {len(by_group(notifications))} groups, none twice")


def _has_all(notification, alert):
    labels, annotations = alert["labels"], alert["annotations"]
    receiver = {"critical": "oncall", "warning": "oncall", "info": "tickets"}[labels["severity"]]
    assert notification["receiver"] == receiver, f"{labels} went to {notification['receiver']}"
    assert labels.get("channel") == notification["groupLabels"].get("channel"), labels
    for name in ["summary", "summary_zh", "runbook_url"]:
        assert annotations.get(name), f"{labels} has no {name}"


def through_v2(manager_metrics):
    """Prometheus spoke the second version of Alertmanager's interface, and nobody the first."""
    received = [line.split() for line in manager_metrics.splitlines() if line.startswith("alertmanager_alerts_received_total{")]
    counts = {name: float(count) for name, count in received}
    assert any(count > 0 for name, count in counts.items() if 'version="v2"' in name), counts
    assert all(count == 0 for name, count in counts.items() if 'version="v1"' in name), counts
