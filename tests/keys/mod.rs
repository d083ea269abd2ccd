//! Keys from outside: the commands about them, the contract, ceremonies.
//!
//! | file | what it pins down |
//! |---|---|
//! | `commands` | a key's life through `zkwhirl keys`, and what is refused with which words |
//! | `contract` | the exported contract in an Ethereum virtual machine |
//! | `start` | what LAZY_INIT, PERSIST, DATA_DIR and MAX_CIRCUIT_SIZE do at the start |
//! | `ceremony` | a real circuit through snarkjs and back (takes minutes: ignored) |

mod ceremony;
mod commands;
mod contract;
mod start;
mod support;
