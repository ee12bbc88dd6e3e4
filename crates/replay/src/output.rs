//! The files of a replay: alerts, incidents, rejected records, channels, gateways and the summary.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;
use settlewatch_join::Alert;
use settlewatch_watch::incident::Incident;
use settlewatch_watch::{ChannelRow, GatewayRow};
use settlewatch_wire::{AlertLine, Rejection, format_time};

use crate::error::ReplayError;
use crate::incident::{expected_json, incident_json, share};
use crate::input::{BadLine, Raw};

/// One file of JSON lines.
struct Lines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Lines {
    fn create(folder: &Path, name: &str) -> Result<Self, ReplayError> {
        let path = folder.join(name);
        match File::create(&path) {
            Ok(file) => Ok(Self {
                path,
                file: BufWriter::with_capacity(1 << 16, file),
            }),
            Err(source) => Err(ReplayError::Output { file: path, source }),
        }
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), ReplayError> {
        let written = serde_json::to_writer(&mut self.file, value)
            .map_err(std::io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|source| self.failed(source))
    }

    fn flush(&mut self) -> Result<(), ReplayError> {
        self.file.flush().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> ReplayError {
        ReplayError::Output {
            file: self.path.clone(),
            source,
        }
    }
}

/// The file that is written last.
const SUMMARY: &str = "summary.json";

/// Removes a file, where there is one.
fn remove(path: &Path) -> Result<(), ReplayError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(ReplayError::Output {
            file: path.into(),
            source,
        }),
        _ => Ok(()),
    }
}

/// The folder that a replay writes.
pub struct Output {
    folder: PathBuf,
    alerts: Lines,
    incidents: Lines,
    rejected: Lines,
    channels: Lines,
    gateways: Lines,
}

impl Output {
    /// Makes the folder, where there is none, and its files. An earlier summary is removed: it comes last,
    /// so that one beside other files always belongs to them.
    ///
    /// # Errors
    /// [`ReplayError::Output`] when one cannot be made.
    pub fn create(folder: &Path) -> Result<Self, ReplayError> {
        let made = fs::create_dir_all(folder);
        made.map_err(|source| ReplayError::Output {
            file: folder.into(),
            source,
        })?;
        remove(&folder.join(SUMMARY))?;
        Ok(Self {
            folder: folder.into(),
            alerts: Lines::create(folder, "alerts.ndjson")?,
            incidents: Lines::create(folder, "incidents.ndjson")?,
            rejected: Lines::create(folder, "rejected.ndjson")?,
            channels: Lines::create(folder, "channels.ndjson")?,
            gateways: Lines::create(folder, "gateways.ndjson")?,
        })
    }

    /// Writes an alert revision.
    pub(crate) fn alert(&mut self, alert: &Alert) -> Result<(), ReplayError> {
        self.alerts.line(&AlertLine(alert))
    }

    /// Writes revisions of incidents.
    pub(crate) fn incidents(&mut self, incidents: &[Incident]) -> Result<(), ReplayError> {
        for incident in incidents {
            self.incidents.line(&incident_json(incident))?;
        }
        Ok(())
    }

    /// Writes where a rejected record stands and why it was rejected, never what it says.
    pub(crate) fn rejected(
        &mut self,
        topic: &str,
        raw: &Raw<'_>,
        rejection: &Rejection,
    ) -> Result<(), ReplayError> {
        self.rejected.line(&json!({
            "topic": topic,
            "partition": raw.place.partition,
            "offset": raw.place.offset,
            "ts": raw.ts,
            "reason": rejection.reason.as_str(),
            "detail": rejection.detail,
        }))
    }

    /// Writes where a line stands that is no record.
    pub(crate) fn bad_line(&mut self, bad: &BadLine<'_>) -> Result<(), ReplayError> {
        let file = bad.file.display().to_string();
        self.rejected
            .line(&json!({"file": file, "line": bad.line, "reason": "bad_line"}))
    }

    /// Writes rows of channels.
    pub(crate) fn rows(&mut self, rows: &[ChannelRow]) -> Result<(), ReplayError> {
        for row in rows {
            let [p50, p95, p99] = row.lag_ms;
            self.channels.line(&json!({
                "minute": format_time(row.minute).to_string(),
                "channel": row.channel,
                "payments": row.payments,
                "credits": row.credits,
                "pending": row.pending,
                "overdue": row.overdue,
                "lag_p50_ms": p50,
                "lag_p95_ms": p95,
                "lag_p99_ms": p99,
                "within_sla": row.within_sla.map(share),
                "expected_missing": expected_json(&row.expected),
            }))?;
        }
        Ok(())
    }

    /// Writes rows of gateways.
    pub(crate) fn gateways(&mut self, rows: &[GatewayRow]) -> Result<(), ReplayError> {
        for row in rows {
            let [p50, p95, p99] = row.leg_ms;
            self.gateways.line(&json!({
                "minute": format_time(row.minute).to_string(),
                "gateway": row.gateway,
                "left": row.left,
                "inside": row.inside,
                "leg_p50_ms": p50,
                "leg_p95_ms": p95,
                "leg_p99_ms": p99,
            }))?;
        }
        Ok(())
    }

    /// Writes out what is buffered.
    pub(crate) fn flush(&mut self) -> Result<(), ReplayError> {
        for lines in [
            &mut self.alerts,
            &mut self.incidents,
            &mut self.rejected,
            &mut self.channels,
            &mut self.gateways,
        ] {
            lines.flush()?;
        }
        Ok(())
    }

    /// Writes the summary.
    pub(crate) fn summary(&mut self, summary: &serde_json::Value) -> Result<(), ReplayError> {
        let mut lines = Lines::create(&self.folder, SUMMARY)?;
        let text = serde_json::to_string_pretty(summary).unwrap_or_default();
        let written = writeln!(lines.file, "{text}");
        written.map_err(|source| lines.failed(source))?;
        lines.flush()
    }
}
