//! What a process takes of the machine, as the kernel counts it: the same for a native program and for a JVM.

use anyhow::{Context, Result};

/// CPU time and memory of a process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// User and system time since its start, in seconds.
    pub(super) cpu_s: f64,
    /// Resident memory now, in MiB.
    pub(super) resident_mib: f64,
}

impl Usage {
    /// Of the process `id`.
    ///
    /// # Errors
    /// It is gone.
    pub(super) fn of(id: u32) -> Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        parse(&stat, &status).context("the kernel tells CPU time and memory")
    }
}

fn parse(stat: &str, status: &str) -> Option<Usage> {
    // The name of the program, in brackets, may hold blanks.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut times = after_name.split(' ').skip(11);
    let mut ticks = || times.next()?.parse::<u64>().ok();
    let ticks = ticks()? + ticks()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(Usage {
        cpu_s: ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
        resident_mib: kib / 1024.0,
    })
}

#[cfg(test)]
mod tests {
    use super::Usage;

    #[test]
    fn this_process_uses_memory_and_time() {
        let usage = Usage::of(std::process::id()).expect("the kernel tells");
        assert!(usage.resident_mib > 0.5 && usage.cpu_s >= 0.0, "{usage:?}");
        assert!(Usage::of(u32::MAX).is_err());
    }
}
