//! Lag that counts the waiting, per channel.
