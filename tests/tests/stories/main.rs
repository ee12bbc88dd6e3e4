//! Stories: what happened to a payment, and every alert line that must come of it, worked out by hand.

mod tell;

mod afterwards;
mod batches;
mod channels;
mod closing;
mod deadlines;
mod doubles;
mod holds;
mod lines;
mod mismatches;
mod near_ids;
mod orphans;
mod parts;
mod records;
mod rules;
mod verdicts;
