//! Scenarios over the whole cluster: a simulated Falafel over HTTP, bridge,
//! broker, worker, prover child, and back.
//!
//! | scenario | what it pins down |
//! |---|---|
//! | `real_requests` | requests made by the original code come back proved, with the original's public inputs |
//! | `clients` | users' transactions are proved, let in under the keys of two vk jobs, and verified before they are rolled up |
//! | `faults` | what dies or is wrong costs an attempt or is parked; Falafel notices nothing |
//! | `lies` | one changed bit in a reply of any kind halts Falafel, which says what is wrong |
//! | `load` | 900 jobs at once: all delivered, in order, in bounded memory |
//! | `logs` | the life of a job is found by its id |
//! | `metrics` | the page of metrics is the documented one, and is served while all cores prove |
//! | `rollups` | three whole rollups settle, each with claims of the one before; workers and Falafel die in the root phase |
//! | `whole_rollup` | a final buffer, verified by a stranger from its bytes and keys; what `verify` refuses |
//! | `command_line` | the demo from end to end, `prove`, and what a wrong call says |

mod clients;
mod command_line;
mod faults;
mod lies;
mod load;
mod logs;
mod metrics;
mod real_requests;
mod rollups;
mod whole_rollup;
