//! The open containers of a JSON text, a bit each.

/// Which of the open containers are objects: a bit each.
#[derive(Default)]
pub(crate) struct Nest {
    depth: usize,
    top: u64,
    below: Vec<u64>,
}

impl Nest {
    /// How many containers are open.
    pub(crate) const fn depth(&self) -> usize {
        self.depth
    }

    /// Opens a container.
    pub(crate) fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.below.push(self.top);
        }
        self.top = self.top << 1 | u64::from(object);
        self.depth += 1;
    }

    /// Closes the innermost container, of which there is one.
    pub(crate) fn pop(&mut self) {
        self.top >>= 1;
        self.depth -= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.top = self.below.pop().unwrap_or_default();
        }
    }

    /// Whether the innermost container is an object.
    pub(crate) const fn in_object(&self) -> bool {
        self.top & 1 == 1
    }
}
