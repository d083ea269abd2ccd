//! Falafel's tickets: which of them are pinged, and who in this process waits
//! for an answer.

mod book;
mod callers;

pub(crate) use book::{TicketBook, Tickets};
pub(crate) use callers::{Callers, LOCAL};
