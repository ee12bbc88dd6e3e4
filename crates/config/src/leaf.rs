//! Single values of the tree: interpolated, then parsed by their shape.

use std::path::Path;

use settlewatch_join::settings::Dimension;

use crate::durations::duration;
use crate::interpolate::{Interpolated, Scope, interpolate, secret_file};
use crate::item::Kind;
use crate::node::{Node, Value};
use crate::report::Flaw;
use crate::scalars;
use crate::secret::Secret;
use crate::suggest;
use crate::table::Shape;
use crate::walk::Walker;

/// Checks a single value.
pub(crate) fn read(walker: &mut Walker<'_>, shape: &Shape, node: &Node, place: &str) -> Kind {
    let Some(scalar) = resolve(
        walker,
        &shape.describe(),
        node,
        place,
        matches!(shape, Shape::Secret { .. }),
    ) else {
        return Kind::Bad;
    };
    let written = Written {
        quoted: scalar.quoted,
        replaced: !scalar.value.references.is_empty(),
    };
    let note = note(shape, &scalar.value);
    if matches!(shape, Shape::SecretFile) {
        return match secret_file(&walker.base, &scalar.value.text) {
            Ok(text) => Kind::Secret(Secret::new(text)),
            Err(flaw) => walker.flaw(node, place, flaw, note),
        };
    }
    if matches!(shape, Shape::File) {
        return match readable(&walker.base, &scalar.value.text) {
            Ok(path) => Kind::Text(path),
            Err(flaw) => walker.flaw(node, place, flaw, note),
        };
    }
    match parse(
        shape,
        &scalar.value.text,
        written.or_verbatim(scalar.verbatim),
    ) {
        Ok(kind) => kind,
        Err(flaw) => walker.flaw(node, place, flaw, note),
    }
}

/// A scalar after interpolation.
pub(crate) struct Resolved {
    pub(crate) value: Interpolated,
    pub(crate) quoted: bool,
    pub(crate) verbatim: bool,
}

/// The interpolated text of a node; `None` when it is no single value or a reference fails: reported.
pub(crate) fn resolve(
    walker: &mut Walker<'_>,
    must: &str,
    node: &Node,
    place: &str,
    files: bool,
) -> Option<Resolved> {
    let scalar = match &node.value {
        Value::Scalar(scalar) if !scalar.is_null() => scalar,
        _ => {
            walker.wrong_kind(must, node, place, "write one value");
            return None;
        }
    };
    let (quoted, verbatim) = (scalar.quoted, scalar.verbatim);
    if verbatim {
        let value = Interpolated {
            text: scalar.text.clone(),
            references: Vec::new(),
        };
        return Some(Resolved {
            value,
            quoted,
            verbatim,
        });
    }
    let base = walker.base.clone();
    let scope = Scope {
        env: walker.env,
        files: files.then_some(base.as_path()),
    };
    match interpolate(&scalar.text, scope) {
        Ok(value) => Some(Resolved {
            value,
            quoted,
            verbatim,
        }),
        Err(flaw) => {
            walker.flaw(node, place, flaw, None);
            None
        }
    }
}

/// The full path of a file that can be read now.
pub(crate) fn readable(base: &Path, path: &str) -> Result<String, Flaw> {
    let full = base.join(path);
    let shown = full.display();
    match std::fs::File::open(&full) {
        Ok(_) => Ok(shown.to_string()),
        Err(error) => Err(Flaw::new(
            format!("needs the file `{shown}`: {error}"),
            "create the file, or make it readable",
        )),
    }
}

/// What interpolation made of the value, for whoever looks at the line.
fn note(shape: &Shape, value: &Interpolated) -> Option<String> {
    if value.references.is_empty() || matches!(shape, Shape::Secret { .. }) {
        return None;
    }
    Some(format!(
        "with {} the value is `{}`",
        crate::table::list(&value.references),
        value.text
    ))
}

/// How a scalar was written.
#[derive(Clone, Copy)]
struct Written {
    quoted: bool,
    /// Comes from the environment, at least in part.
    replaced: bool,
}

impl Written {
    fn or_verbatim(self, verbatim: bool) -> Self {
        Self {
            replaced: self.replaced || verbatim,
            ..self
        }
    }

    /// Quotes make text of a number, unless they stand around a variable.
    fn is_text(self) -> bool {
        self.quoted && !self.replaced
    }
}

fn parse(shape: &Shape, text: &str, written: Written) -> Result<Kind, Flaw> {
    if written.is_text()
        && matches!(
            shape,
            Shape::Version | Shape::Count { .. } | Shape::Minor | Shape::Flag
        )
    {
        let what = format!("is text, but must be {}", shape.describe());
        return Err(Flaw::new(what, format!("remove the quotes: {text}")));
    }
    Ok(match shape {
        Shape::Version => version(text)?,
        Shape::Text {
            min_bytes,
            max_bytes,
        } => Kind::Text(bounded(text, *min_bytes, *max_bytes)?),
        Shape::Secret { literal } => secret(text, *literal || written.replaced)?,
        Shape::Flag => Kind::Flag(scalars::flag(text)?),
        Shape::Duration { min_ms, max_ms } => Kind::Duration(duration(text, *min_ms, *max_ms)?),
        Shape::Count { min, max } => Kind::Count(scalars::count(text, *min, *max)?),
        Shape::Minor => Kind::Count(scalars::minor(text)?),
        Shape::Rate => Kind::Rate(scalars::rate(text)?),
        Shape::Share => Kind::Rate(scalars::share(text)?),
        Shape::Date => Kind::Date(scalars::date(text)?),
        Shape::TimeOfDay => Kind::Time(scalars::time_of_day(text)?),
        Shape::Zone => Kind::Zone(scalars::zone(text)?),
        Shape::Currency => Kind::Currency(scalars::currency(text)?),
        Shape::Choice(words) => Kind::Text(choice(text, words)?),
        Shape::Listen => Kind::Listen(scalars::listen(text)?),
        Shape::Servers => Kind::Text(scalars::servers(text)?),
        Shape::Topic => Kind::Text(scalars::topic(text)?),
        Shape::Dimension => Kind::Dimension(dimension(text)?),
        Shape::StartAt => Kind::StartAt(scalars::start_at(text)?),
        Shape::SecretFile
        | Shape::File
        | Shape::Properties
        | Shape::List { .. }
        | Shape::OneOrMany(_)
        | Shape::Map { .. }
        | Shape::Section(_)
        | Shape::Switch(_) => unreachable!("files and collections are read elsewhere"),
    })
}

fn version(text: &str) -> Result<Kind, Flaw> {
    match text {
        "1" => Ok(Kind::Count(1)),
        _ => Err(Flaw::new(
            format!("is `{text}`, which this program does not read"),
            "write `version: 1`",
        )),
    }
}

fn bounded(text: &str, min: usize, max: usize) -> Result<String, Flaw> {
    if text.len() < min {
        return Err(Flaw::new("is empty", "write at least one character"));
    }
    if text.len() > max {
        return Err(Flaw::new(
            format!("is longer than {max} bytes"),
            "shorten it",
        ));
    }
    Ok(text.to_owned())
}

fn secret(text: &str, allowed: bool) -> Result<Kind, Flaw> {
    if !allowed {
        return Err(literal_secret());
    }
    bounded(text, 1, 65_536).map(|text| Kind::Secret(Secret::new(text)))
}

/// A secret stands in the file for everybody to read.
pub(crate) fn literal_secret() -> Flaw {
    Flaw::new(
        "is a secret, which must not stand in the configuration",
        "take it from a file or the environment: `NAME_file: /path`, `\"${file:/path}\"` or `\"${VARIABLE}\"`",
    )
}

fn choice(text: &str, words: &[(&str, &str)]) -> Result<String, Flaw> {
    if words.iter().any(|(word, _)| *word == text) {
        return Ok(text.to_owned());
    }
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    Err(Flaw::new(
        format!("cannot be `{text}`"),
        suggest::remedy(text, &words, "the words here are"),
    ))
}

/// Fields that a payment can be told apart by.
pub(crate) const DIMENSIONS: [&str; 17] = [
    "channel",
    "gateway",
    "acquirer",
    "connector",
    "region",
    "carrier",
    "store_id",
    "merchant_id",
    "terminal_id",
    "terminal_model",
    "pos_vendor",
    "app_version",
    "method",
    "mcc",
    "currency",
    "settle_mode",
    "attrs.NAME",
];

fn dimension(text: &str) -> Result<Dimension, Flaw> {
    Dimension::parse(text).ok_or_else(|| {
        Flaw::new(
            format!("cannot be `{text}`"),
            suggest::remedy(text, &DIMENSIONS, "the fields are"),
        )
    })
}
