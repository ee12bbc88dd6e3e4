//! The public contract of the input, on files.
