//! Tests of keys: the commands, the exported contract, ceremonies.
//!
//! | file | what it pins down |
//! |---|---|
//! | `commands` | `zkwhirl keys`: making, export, import, removal, and the texts of errors |
//! | `contract` | the exported contract in an Ethereum virtual machine |
//! | `start` | what LAZY_INIT, PERSIST, DATA_DIR and MAX_CIRCUIT_SIZE do at the start |
//! | `ceremony` | a key for a real circuit from snarkjs (takes minutes: ignored) |

mod ceremony;
mod commands;
mod contract;
mod start;
mod support;
