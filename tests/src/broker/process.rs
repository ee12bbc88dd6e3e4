//! A process of ours: its log, its signals, its end.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use super::wait::until;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

impl End {
    fn of(status: ExitStatus) -> Self {
        let by_signal = || status.signal().map_or(Self::Exit(-1), Self::Signal);
        status.code().map_or_else(by_signal, Self::Exit)
    }
}

/// A running process; it is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    end: Option<End>,
}

impl Process {
    /// Starts `command`; what it says goes to the file `log`, after what is there.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let open = || File::options().append(true).create(true).open(log);
        let file = open().unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let again = file.try_clone().expect("a file can be had twice");
        command.stdin(Stdio::null()).stdout(file).stderr(again);
        let spawned = command.spawn();
        Self {
            child: spawned.unwrap_or_else(|error| panic!("{command:?}: {error}")),
            log: log.into(),
            end: None,
        }
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it said so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The last lines that it said.
    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Sends a signal; nothing happens when it has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
            // It may end in this moment.
            let _ = kill_process(pid.expect("a process id"), signal);
        }
    }

    /// How it ended; `None` while it runs.
    pub fn ended(&mut self) -> Option<End> {
        if self.end.is_none() {
            let status = self.child.try_wait().expect("it is our child");
            self.end = status.map(End::of);
        }
        self.end
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it runs on: the end of its log is told.
    #[track_caller]
    pub fn wait(&mut self, within: Duration) -> End {
        let begin = std::time::Instant::now();
        while begin.elapsed() < within {
            if let Some(end) = self.ended() {
                return end;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let (id, tail) = (self.id(), self.log_tail(25));
        panic!("process {id} runs on after {within:?}; its log ends:\n{tail}");
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        until("a killed process is gone", Duration::from_secs(30), || {
            self.ended()
        });
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            // Also one that is stopped dies of it.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
