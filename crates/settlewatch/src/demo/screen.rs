//! The terminal: a picture drawn over and over, or now and then a line where there is no terminal.

use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use rustix::termios::tcgetwinsize;

use super::picture::{self, Style, behind, draw};
use super::view::View;
use crate::incidents::{self, Told};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The second screen of the terminal, without a cursor; and back.
const OPEN: &str = "\x1b[?1049h\x1b[?25l";
const CLOSE: &str = "\x1b[?25h\x1b[?1049l";

/// Where the view is shown.
pub(super) struct Show {
    terminal: bool,
    open: bool,
    style: Style,
    next_line: Instant,
}

impl Show {
    pub(super) fn new(terminal: bool, style: Style) -> Self {
        Self {
            terminal,
            open: false,
            style,
            next_line: Instant::now(),
        }
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    pub(super) fn show(&mut self, view: &View, title: (&str, &str)) -> std::io::Result<()> {
        if self.terminal {
            self.draw(view, title)
        } else {
            self.line(view)
        }
    }

    fn draw(&mut self, view: &View, title: (&str, &str)) -> std::io::Result<()> {
        if let Ok(size) = tcgetwinsize(stdout()) {
            self.style.columns = usize::from(size.ws_col).max(40);
            self.style.lines = usize::from(size.ws_row).max(12);
        }
        let mut out = stdout().lock();
        if !self.open {
            write!(out, "{OPEN}")?;
            self.open = true;
        }
        let mut frame = String::from("\x1b[H");
        let picture = draw(view, title, self.style);
        for (i, line) in picture.iter().take(self.style.lines).enumerate() {
            if i > 0 {
                frame.push_str("\r\n");
            }
            frame.push_str(line);
            frame.push_str("\x1b[K");
        }
        frame.push_str("\x1b[J");
        out.write_all(frame.as_bytes())?;
        out.flush()
    }

    fn line(&mut self, view: &View) -> std::io::Result<()> {
        let now = Instant::now();
        if now < self.next_line {
            return Ok(());
        }
        self.next_line = now + LINE_EVERY;
        let words = self.style.language.words();
        let scene = view.scene.map(|scene| self.style.language.scene(scene));
        writeln!(
            stdout(),
            "{}  {}  {}",
            picture::line(view, words),
            behind(view, words),
            scene.unwrap_or_default()
        )
    }

    /// A revision of an incident: said at once where there is no picture.
    pub(super) fn incident(&mut self, told: &Told) -> std::io::Result<()> {
        if self.terminal {
            return Ok(());
        }
        let language = self.style.language;
        let (line, action) = (incidents::line(told, language), language.action(told));
        writeln!(stdout(), "{line}: {action}")
    }

    /// Gives the terminal back.
    pub(super) fn close(&mut self) -> std::io::Result<()> {
        if self.open {
            self.open = false;
            write!(stdout(), "{CLOSE}")?;
        }
        Ok(())
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        // A terminal that cannot be given back is not worth a failure.
        let _ = self.close();
    }
}
