//! Hash tables whose hash is the same in every process.

use foldhash::fast::FixedState;

/// A table with a fixed hash. Its order is never asked for where it could be seen.
pub(crate) type Map<K, V> = hashbrown::HashMap<K, V, FixedState>;
