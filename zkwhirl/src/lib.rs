//! zkWhirl in one process: a bridge and a worker on embedded back-ends. The
//! binary's sub-commands and the integration tests use this library.

pub mod cluster;
