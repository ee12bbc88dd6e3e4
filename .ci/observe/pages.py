"""Pages for the channel that stands still: they arrive, once, with what on-call needs, and they resolve. And those that
others keep silent.
"""

import datetime
import time

from waiting import get_json, post_json, until

# The first channel of the demo's story.
CHANNEL = "unionpay_qr"
# No channel of the demo: its alerts are told by hand. Its pages come once nobody is blind.
UNSEEN = "unseen"
# Many times what a page waits for others of its group (`group_wait`, shortened).
SILENCE_S = 3


def alerts_of(notification, status):
    return {one["fingerprint"]: one for one in notification["alerts"] if one["status"] == status}


def by_group(notifications):
    groups = {}
    for one in notifications:
        groups.setdefault(one["groupKey"], []).append(one)
    return groups


def of_channel(sink, severity):
    """What came for the channel with this severity, in one group."""
    wanted = {"channel": CHANNEL}
    came = [
        one
        for one in sink.notifications()
        if one["groupLabels"] == wanted and one["alerts"][0]["labels"]["severity"] == severity
    ]
    assert len(by_group(came)) <= 1, "one channel came in several groups"
    return came


def suppressed(manager, **labels):
    """Alerts with these labels that another one keeps silent."""
    alerts = get_json(f"{manager}/api/v2/alerts") or []
    fitting = [one for one in alerts if labels.items() <= one["labels"].items()]
    return [one for one in fitting if one["status"]["state"] == "suppressed" and one["status"]["inhibitedBy"]]


def channel_is_paged(sink, manager):
    """The critical page of the channel keeps its warnings silent, and both are over in the end."""
    until(f"a critical page for {CHANNEL}", lambda: of_channel(sink, "critical"))
    until(
        "the critical page keeps the warnings of its channel silent",
        lambda: suppressed(manager, channel=CHANNEL, severity="warning"),
    )
    for severity in ["critical", "warning"]:
        until(f"{severity} for {CHANNEL} resolves", lambda: _is_over(of_channel(sink, severity)))


def _is_over(came):
    return came and came[-1]["status"] == "resolved"


def tell(manager, rules, name, over=False, **labels):
    """Tells Alertmanager of an alert as Prometheus would by the shipped rule: its labels, its annotations."""
    (rule,) = [rule for group in rules["groups"] for rule in group["rules"] if rule.get("alert") == name]
    alert = {"labels": {"alertname": name, **rule["labels"], **labels}, "annotations": rule["annotations"]}
    if over:
        alert["endsAt"] = datetime.datetime.now(datetime.timezone.utc).isoformat()
    assert post_json(f"{manager}/api/v2/alerts", [alert]) == 200


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
    critical = of_channel(sink, "critical")
    statuses = [one["status"] for one in critical]
    assert statuses == ["firing", "resolved"], f"{CHANNEL} was paged {statuses}"
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
