//! Bytes to domain and back: canonical events, recorded envelopes, alerts.
