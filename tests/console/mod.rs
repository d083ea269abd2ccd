//! The console of a running cluster: its API over HTTP, its page in Chromium,
//! and the commands that use the API.

mod api;
mod browser;
mod commands;
mod stage;
