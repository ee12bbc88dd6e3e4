//! Diagnostics as people read them: place, line, caret, remedy.

use std::fmt::{self, Write};

use crate::diagnostic::Diagnostic;

/// Characters of a line that are shown; a longer one is cut around the caret.
const SHOWN_CHARS: usize = 140;
/// Characters kept before the caret when a line is cut.
const LEAD_CHARS: usize = 60;

/// Writes one diagnostic, without a final line break.
pub(crate) fn write(found: &Diagnostic, out: &mut impl Write) -> fmt::Result {
    writeln!(out, "{}: {}", found.severity, found.message)?;
    let gutter = found.line.to_string().len();
    writeln!(
        out,
        "{:gutter$}--> {}:{}:{}",
        "", found.file, found.line, found.column
    )?;
    if !found.source_line.is_empty() {
        let excerpt = Excerpt::of(found);
        writeln!(out, "{:gutter$} |", "")?;
        writeln!(out, "{} | {}", found.line, excerpt.text)?;
        writeln!(out, "{:gutter$} | {}{}", "", excerpt.pad, excerpt.carets)?;
    }
    if let Some(note) = &found.note {
        writeln!(out, "{:gutter$} = note: {note}", "")?;
    }
    write!(out, "{:gutter$} = help: {}", "", found.remedy)
}

/// The part of a line around the caret, and the caret.
struct Excerpt {
    text: String,
    pad: String,
    carets: String,
}

impl Excerpt {
    fn of(found: &Diagnostic) -> Self {
        let line: Vec<char> = found
            .source_line
            .trim_end()
            .chars()
            .map(printable)
            .collect();
        let caret = (found.column.saturating_sub(1) as usize).min(line.len());
        let from = if line.len() > SHOWN_CHARS {
            caret.saturating_sub(LEAD_CHARS)
        } else {
            0
        };
        let to = line.len().min(from + SHOWN_CHARS);
        let mut text = String::new();
        let mut pad = String::new();
        if from > 0 {
            text.push('…');
            pad.push(' ');
        }
        text.extend(&line[from..to]);
        if to < line.len() {
            text.push('…');
        }
        pad.extend(line[from..caret].iter().map(|&c| blank(c)));
        let under = line[caret..to].iter().take(found.width.max(1) as usize);
        let columns: usize = under.map(|&c| columns(c)).sum();
        Self {
            text,
            pad,
            carets: "^".repeat(columns.max(1)),
        }
    }
}

/// A control character would move the caret or the terminal.
fn printable(c: char) -> char {
    if c.is_control() && c != '\t' {
        '\u{fffd}'
    } else {
        c
    }
}

/// White space as wide as `c`.
fn blank(c: char) -> &'static str {
    match (c, columns(c)) {
        ('\t', _) => "\t",
        (_, 2) => "  ",
        _ => " ",
    }
}

/// Terminal columns of `c`: East Asian wide characters take two.
fn columns(c: char) -> usize {
    let wide = matches!(c as u32,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f
        | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd);
    if wide { 2 } else { 1 }
}
