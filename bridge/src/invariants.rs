//! The promises of the design, as pure predicates that tests, simulations and
//! `debug_assert!`s share.

use std::collections::BTreeSet;

use zkwhirl_job::TicketId;

/// **No loss**: every ticket that was taken is answered, or is still pinged.
pub fn no_loss(
    taken: &BTreeSet<TicketId>,
    answered: &BTreeSet<TicketId>,
    pinged: &BTreeSet<TicketId>,
) -> bool {
    taken
        .iter()
        .all(|ticket| answered.contains(ticket) || pinged.contains(ticket))
}

/// **No false alarm**: Falafel got no more NACKs than operators asked for.
pub fn no_false_alarm(nacks: u64, asked_for: u64) -> bool {
    nacks <= asked_for
}

/// **No unverified proof** leaves: what is sent is what was verified, and it
/// is not empty (Falafel would read past its end).
pub fn may_leave(reply: &[u8], verified: Option<&[u8; 32]>, digest: &[u8; 32]) -> bool {
    !reply.is_empty() && verified == Some(digest)
}

/// What a worker or the bridge did about one result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The result's bytes are in the ledger.
    Stored,
    /// The broker confirmed the message that carries the result on; for the
    /// bridge, the job's state says that it is proved.
    Confirmed,
    /// The message that asked for the work was acknowledged.
    Acked,
}

/// **At least once**: nothing is acknowledged before what it asked for was
/// stored or confirmed. A crash between two steps repeats work, and loses
/// nothing.
pub fn ack_comes_last(steps: &[Step]) -> bool {
    let first = |step| steps.iter().position(|s| *s == step);
    match (first(Step::Acked), first(Step::Confirmed)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(acked), Some(confirmed)) => {
            confirmed < acked && first(Step::Stored).is_none_or(|stored| stored < acked)
        }
    }
}

/// **Bounded**: there is never more of something than its limit.
pub fn bounded(count: usize, limit: usize) -> bool {
    count <= limit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tickets(numbers: &[u8]) -> BTreeSet<TicketId> {
        numbers.iter().map(|n| TicketId([*n; 32])).collect()
    }

    #[test]
    fn a_ticket_that_is_neither_answered_nor_pinged_is_lost() {
        assert!(no_loss(
            &tickets(&[1, 2]),
            &tickets(&[1]),
            &tickets(&[2, 3])
        ));
        assert!(!no_loss(&tickets(&[1, 2]), &tickets(&[1]), &tickets(&[])));
    }

    #[test]
    fn a_nack_without_an_operator_is_a_false_alarm() {
        assert!(no_false_alarm(0, 0));
        assert!(no_false_alarm(2, 2));
        assert!(!no_false_alarm(1, 0));
    }

    #[test]
    fn only_what_was_verified_may_leave_and_never_nothing() {
        let (a, b) = ([1; 32], [2; 32]);
        assert!(may_leave(b"x", Some(&a), &a));
        assert!(!may_leave(b"x", Some(&b), &a));
        assert!(!may_leave(b"x", None, &a));
        assert!(!may_leave(b"", Some(&a), &a));
    }

    #[test]
    fn an_ack_before_the_confirm_or_the_store_is_wrong() {
        use Step::{Acked, Confirmed, Stored};
        for right in [
            &[][..],
            &[Stored],
            &[Stored, Confirmed],
            &[Stored, Confirmed, Acked],
            &[Confirmed, Acked],
        ] {
            assert!(ack_comes_last(right), "{right:?}");
        }
        for wrong in [
            &[Acked][..],
            &[Stored, Acked],
            &[Stored, Acked, Confirmed],
            &[Confirmed, Acked, Stored],
        ] {
            assert!(!ack_comes_last(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_limit_may_be_reached_and_not_passed() {
        assert!(bounded(3, 3));
        assert!(!bounded(4, 3));
    }
}
