//! A seeded generator of payments and faults, with the truth beside it.
