"""Pages for the channel that stands still: they arrive, once, with what on-call needs, and they resolve."""

from waiting import get_json, post_json, until

# The first channel of the demo's story.
CHANNEL = "unionpay_qr"


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
