//! The console of a running cluster: its API over HTTP, its page in Chromium,
//! and the commands that talk to it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod browser;
mod commands;
mod stage;
