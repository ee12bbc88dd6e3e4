//! `${VAR}`, `${VAR:-default}`, `${file:/path}` and `$$` in values.

use std::path::Path;

use crate::env::Env;
use crate::report::Flaw;

/// Defaults within defaults.
const MAX_DEPTH: usize = 8;

/// A value after interpolation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interpolated {
    /// The text that results.
    pub(crate) text: String,
    /// The references that were replaced, as written inside the braces up to any default.
    pub(crate) references: Vec<String>,
}

/// What references may name.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) env: &'a Env,
    /// Directory of relative `${file:…}`; `None` where files are not allowed.
    pub(crate) files: Option<&'a Path>,
}

/// Replaces every reference in `text`.
pub(crate) fn interpolate(text: &str, scope: Scope<'_>) -> Result<Interpolated, Flaw> {
    let mut out = Interpolated::default();
    expand(text, scope, 0, &mut out)?;
    Ok(out)
}

fn expand(text: &str, scope: Scope<'_>, depth: usize, out: &mut Interpolated) -> Result<(), Flaw> {
    if depth > MAX_DEPTH {
        return Err(Flaw::new(
            "nests defaults too deeply",
            "set one of the variables instead",
        ));
    }
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.text.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        rest = if let Some(after) = tail.strip_prefix('$') {
            out.text.push('$');
            after
        } else if let Some(inside) = tail.strip_prefix('{') {
            let end = closing(inside).ok_or_else(|| {
                Flaw::new(
                    "has a `${` without its `}`",
                    "close it, or write `$$` for a dollar sign",
                )
            })?;
            reference(&inside[..end], scope, depth, out)?;
            &inside[end + 1..]
        } else {
            out.text.push('$');
            tail
        };
    }
    out.text.push_str(rest);
    Ok(())
}

/// Where the brace that is already open closes.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

fn reference(
    inside: &str,
    scope: Scope<'_>,
    depth: usize,
    out: &mut Interpolated,
) -> Result<(), Flaw> {
    if let Some(path) = inside.strip_prefix("file:") {
        out.references.push(inside.to_owned());
        out.text.push_str(&read(path, scope)?);
        return Ok(());
    }
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !is_name(name) {
        return Err(Flaw::new(
            format!("refers to `${{{name}}}`, which is no variable name"),
            "write `${NAME}` or `${NAME:-default}`; write `$$` for a dollar sign",
        ));
    }
    out.references.push(name.to_owned());
    match (scope.env.get(name), default) {
        // As in a shell, `:-` also replaces an empty value.
        (Some(""), Some(default)) | (None, Some(default)) => expand(default, scope, depth + 1, out),
        (Some(value), _) => {
            out.text.push_str(value);
            Ok(())
        }
        (None, None) => Err(Flaw::new(
            format!("needs the environment variable `{name}`, which is not set"),
            format!("set `{name}`, or give a default: `${{{name}:-…}}`"),
        )),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn read(path: &str, scope: Scope<'_>) -> Result<String, Flaw> {
    let Some(dir) = scope.files else {
        return Err(Flaw::new(
            "cannot come from a file",
            "`${file:…}` is for secrets; write the value here",
        ));
    };
    secret_file(dir, path)
}

/// The content of a secret's file without its final line break.
pub(crate) fn secret_file(dir: &Path, path: &str) -> Result<String, Flaw> {
    let full = dir.join(path);
    let text = std::fs::read_to_string(&full).map_err(|error| {
        Flaw::new(
            format!("needs the file `{}`: {error}", full.display()),
            "create the file, or make it readable",
        )
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}
