//! YAML text to a tree: one document, unique keys, aliases and merges resolved within bounds.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use crate::merge;
use crate::node::{Entry, Node, Scalar, Value};
use crate::report::Report;
use crate::source::{Mark, SourceId};

/// Nesting beyond this is no configuration.
const MAX_DEPTH: usize = 32;
/// Nodes of a document, aliases expanded.
const MAX_NODES: usize = 200_000;

/// Parses the text of `source` after its first `skip` bytes (which hold no line break). `None` when
/// something made the tree unusable; it has been reported. A text without a value gives an empty node.
pub(crate) fn parse(report: &mut Report, source: SourceId, skip: usize) -> Option<Node> {
    let text = report.source(source).text.clone();
    let body = text
        .get(skip..)
        .expect("the skipped name ends at a character");
    let shift = text[..skip].chars().count();
    let mut builder = Builder::new(report, source, shift);
    for event in Parser::new_from_str(body.strip_prefix('\u{feff}').unwrap_or(body)) {
        let step = match event {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => Err(builder.scan_error(&error)),
        };
        if let Err(flaw) = step {
            report.error(flaw.mark, flaw.message, flaw.remedy);
            return None;
        }
    }
    Some(builder.root.unwrap_or_else(|| null(Mark::start(source))))
}

fn null(mark: Mark) -> Node {
    let scalar = Scalar {
        text: String::new(),
        quoted: false,
        verbatim: false,
    };
    Node {
        mark,
        value: Value::Scalar(scalar),
    }
}

/// A problem that ends the parse.
struct Fatal {
    mark: Mark,
    message: String,
    remedy: String,
}

/// A collection whose end has not come yet.
struct Open {
    node: Node,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<(String, Mark, bool)>,
    /// Depth of the deepest child, 0 for none.
    height: usize,
    nodes: usize,
}

/// A finished subtree and its size.
#[derive(Clone)]
struct Done {
    node: Node,
    height: usize,
    nodes: usize,
}

struct Builder<'r> {
    report: &'r mut Report,
    source: SourceId,
    shift: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Done>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
}

impl<'r> Builder<'r> {
    fn new(report: &'r mut Report, source: SourceId, shift: usize) -> Self {
        Self {
            report,
            source,
            shift,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            documents: 0,
            root: None,
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fatal> {
        let mark = self.mark(span);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => self.document(mark),
            Event::Alias(id) => self.alias(id, mark),
            Event::Scalar(text, style, anchor, tag) => {
                let quoted =
                    style != ScalarStyle::Plain || self.is_text_tag(tag.as_deref(), mark)?;
                self.count(1, mark)?;
                let scalar = Scalar {
                    text: text.into_owned(),
                    quoted,
                    verbatim: false,
                };
                self.finish(
                    Done {
                        node: Node {
                            mark,
                            value: Value::Scalar(scalar),
                        },
                        height: 0,
                        nodes: 1,
                    },
                    anchor,
                )
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(Value::List(Vec::new()), anchor, tag.as_deref(), mark)
            }
            Event::MappingStart(anchor, tag) => {
                self.start(Value::Map(Vec::new()), anchor, tag.as_deref(), mark)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
    }

    fn mark(&self, span: Span) -> Mark {
        let line = span.start.line().max(1);
        let shift = if line == 1 { self.shift } else { 0 };
        let width = if span.end.line() == span.start.line() {
            span.end.col().saturating_sub(span.start.col())
        } else {
            1
        };
        Mark {
            source: self.source,
            line: small(line),
            column: small(span.start.col() + shift + 1),
            width: small(width.max(1)),
        }
    }

    fn document(&mut self, mark: Mark) -> Result<(), Fatal> {
        self.documents += 1;
        if self.documents > 1 {
            return Err(fatal(
                mark,
                "a second document begins here",
                "keep one document a file: remove this `---` and what follows",
            ));
        }
        Ok(())
    }

    fn is_text_tag(&self, tag: Option<&Tag>, mark: Mark) -> Result<bool, Fatal> {
        match tag {
            None => Ok(false),
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => Ok(true),
            Some(_) => Err(fatal(
                mark,
                "tags have no meaning here",
                "remove the `!…` before the value",
            )),
        }
    }

    fn count(&mut self, nodes: usize, mark: Mark) -> Result<(), Fatal> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(fatal(
                mark,
                format!("more than {MAX_NODES} values"),
                "aliases multiply what they name: use fewer of them",
            ));
        }
        Ok(())
    }

    fn depth(&self, more: usize, mark: Mark) -> Result<(), Fatal> {
        if self.open.len() + more > MAX_DEPTH {
            return Err(fatal(
                mark,
                format!("nested deeper than {MAX_DEPTH} levels"),
                "close a bracket that was left open",
            ));
        }
        Ok(())
    }

    fn start(
        &mut self,
        value: Value,
        anchor: usize,
        tag: Option<&Tag>,
        mark: Mark,
    ) -> Result<(), Fatal> {
        self.is_text_tag(tag, mark)?;
        self.count(1, mark)?;
        self.depth(1, mark)?;
        if let Some(Open {
            node: Node {
                value: Value::Map(_),
                ..
            },
            key: None,
            ..
        }) = self.open.last()
        {
            return Err(fatal(
                mark,
                "a key must be a single word",
                "write `key: value`; quote a value that begins with `[` or `{`",
            ));
        }
        let mark = Mark { width: 1, ..mark };
        self.open.push(Open {
            node: Node { mark, value },
            anchor,
            key: None,
            height: 0,
            nodes: 1,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fatal> {
        let Open {
            mut node,
            anchor,
            height,
            nodes,
            ..
        } = self
            .open
            .pop()
            .expect("the parser balances starts and ends");
        merge::resolve(&mut node, self.report);
        self.finish(
            Done {
                node,
                height: height + 1,
                nodes,
            },
            anchor,
        )
    }

    fn alias(&mut self, id: usize, mark: Mark) -> Result<(), Fatal> {
        let Some(done) = self.anchors.get(&id).cloned() else {
            return Err(fatal(
                mark,
                "this alias names what contains it",
                "move the `&anchor` to a value that is complete before the alias",
            ));
        };
        self.count(done.nodes, mark)?;
        self.depth(done.height, mark)?;
        self.finish(done, 0)
    }

    /// Puts a finished value where it belongs.
    fn finish(&mut self, done: Done, anchor: usize) -> Result<(), Fatal> {
        if anchor > 0 {
            self.anchors.insert(anchor, done.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(done.node);
            return Ok(());
        };
        match &mut parent.node.value {
            Value::List(items) => items.push(done.node),
            Value::Map(entries) => match parent.key.take() {
                None => {
                    parent.key = Some(key_of(done.node)?);
                    return Ok(());
                }
                Some((key, mark, merges)) => {
                    let entry = Entry {
                        key,
                        mark,
                        node: done.node,
                    };
                    push_unique(entries, entry, merges, self.report);
                }
            },
            Value::Scalar(_) => unreachable!("only collections are opened"),
        }
        parent.height = parent.height.max(done.height);
        parent.nodes += done.nodes;
        Ok(())
    }

    fn scan_error(&self, error: &ScanError) -> Fatal {
        let mark = self.mark(Span::empty(*error.marker()));
        let line = self.report.source(self.source).line(mark.line);
        fatal(
            mark,
            format!("not YAML: {}", error.info()),
            remedy(error.info(), line),
        )
    }
}

/// Marks count in 32 bits: a file is at most a few megabytes.
fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn fatal(mark: Mark, message: impl Into<String>, remedy: impl Into<String>) -> Fatal {
    Fatal {
        mark,
        message: message.into(),
        remedy: remedy.into(),
    }
}

/// A key, its place, and whether it merges a map into this one.
fn key_of(node: Node) -> Result<(String, Mark, bool), Fatal> {
    match node.value {
        Value::Scalar(scalar) => {
            let merges = !scalar.quoted && scalar.text == merge::KEY;
            Ok((scalar.text, node.mark, merges))
        }
        _ => Err(fatal(
            node.mark,
            "a key must be a single word",
            "write `key: value`",
        )),
    }
}

/// The first of two equal keys stands.
fn push_unique(entries: &mut Vec<Entry>, entry: Entry, merges: bool, report: &mut Report) {
    let earlier = entries
        .iter()
        .find(|other| other.key == entry.key && !merges);
    if let Some(earlier) = earlier {
        let message = format!(
            "the key `{}` is already set in line {}",
            entry.key, earlier.mark.line
        );
        report.error(
            entry.mark,
            message,
            "remove one of the two: only one value can hold",
        );
        return;
    }
    entries.push(entry);
}

/// What usually helps against a scanner's complaint.
fn remedy(info: &str, line: &str) -> &'static str {
    if line.contains('\t') {
        "indent with spaces: YAML does not allow tabs"
    } else if line.contains("${") {
        "put quotes around a value with `${…}` inside `[ ]` or `{ }`"
    } else if info.contains("invalid indentation in flow") {
        "close the bracket that is open since an earlier line"
    } else if info.contains("mapping values") {
        "indent the line like its neighbours; quote a value that contains `: `"
    } else if info.contains("anchor") {
        "define it before with `&name`, or quote a value that begins with `*`"
    } else {
        "check the indentation, and that every quote and bracket is closed"
    }
}
