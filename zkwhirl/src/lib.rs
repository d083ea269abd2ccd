//! zkWhirl in one process: a bridge and a worker on embedded back-ends. The
//! binary's roles and the integration tests are wired from it.

pub mod cluster;
