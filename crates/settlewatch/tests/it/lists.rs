//! What is printed without any input: metrics, completions, the schema.

use crate::run;

#[test]
fn metrics_are_listed_as_text_json_and_markdown_alike() {
    let json: serde_json::Value = serde_json::from_str(&run(&["metrics", "--json"]).out).unwrap();
    let metrics = json.as_array().unwrap();
    let (text, markdown) = (run(&["metrics"]).out, run(&["metrics", "--markdown"]).out);
    assert_eq!(markdown.lines().count(), metrics.len() + 2);
    for metric in metrics {
        let name = metric["name"].as_str().unwrap();
        assert!(text.contains(name), "{name} in the text");
        assert!(
            markdown.contains(&format!("`{name}`")),
            "{name} in the table"
        );
    }
}

#[test]
fn every_metric_that_dashboards_rely_on_is_there() {
    let text = run(&["metrics"]).out;
    for metric in [
        "events_consumed_total{stream}",
        "events_rejected_total{stream,reason}",
        "credit_lag_seconds{channel}",
        "credit_lag_quantile_seconds{channel,quantile}",
        "pending_payments{channel}",
        "pending_amount{channel,currency}",
        "overdue_payments{channel}",
        "oldest_pending_age_seconds{channel}",
        "alerts_total{channel,kind,tier}",
        "incidents_open{verdict,severity}",
        "incident_places{channel,stream,verdict,severity}",
        "incident_pages{channel,stream,verdict,severity}",
        "incident_missing_payments{channel,stream,verdict,severity}",
        "incident_missing_amount{channel,stream,currency,verdict,severity}",
        "watch_active ",
        "detection_delay_seconds ",
        "blind_seconds{stream,partition}",
        "build_info",
    ] {
        assert!(text.contains(&format!("settlewatch_{metric}")), "{metric}");
    }
}

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = run(&["completions", shell]);
        assert_eq!(ran.status, 0);
        for command in ["replay", "explain", "simulate", "completions"] {
            assert!(ran.out.contains(command), "{command} for {shell}");
        }
    }
}

#[test]
fn the_schema_is_json() {
    let schema: serde_json::Value = serde_json::from_str(&run(&["schema"]).out).unwrap();
    assert!(schema["properties"]["rules"].is_object());
}
