//! Tests of the behaviour that every ledger must have for several bridges.
//!
//! `bridges_conformance!(make)` makes one `#[tokio::test]` per behaviour;
//! `make` is an async function that returns two handles of one empty ledger,
//! as two processes have them.

use std::{sync::Arc, time::Duration};

use super::{record, ticket};
use crate::{Ledger, Membership, Ticket};
use zkwhirl_testkit::eventually;

type Two = [Arc<dyn Ledger>; 2];

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(150);

async fn join(ledger: &Arc<dyn Ledger>, bridge: &str, ttl: Duration) -> Membership {
    let joined = ledger.join(bridge, ttl).await;
    joined.expect("the ledger is there")
}

async fn take(ledger: &Arc<dyn Ledger>, numbers: std::ops::Range<u32>) {
    for n in numbers {
        super::take(ledger, n, n).await;
    }
}

async fn adopt(ledger: &Arc<dyn Ledger>, member: &Membership, limit: usize) -> Option<Vec<u64>> {
    let adopted = ledger.adopt(member, limit).await;
    adopted.expect("the ledger is there").map(numbers)
}

async fn owned(ledger: &Arc<dyn Ledger>, bridge: &str) -> Vec<u64> {
    let owned = ledger.owned(bridge).await;
    numbers(owned.expect("the ledger is there"))
}

fn numbers(tickets: Vec<Ticket>) -> Vec<u64> {
    let mut numbers: Vec<_> = tickets.iter().map(|ticket| ticket.taken_at_ms).collect();
    numbers.sort_unstable();
    numbers
}

/// A bridge owns the tickets that it took; others adopt them once it has left.
pub async fn the_tickets_of_a_bridge_that_left_are_adopted_once([a, b]: Two) {
    let of_a = join(&a, "a", LONG).await;
    let of_b = join(&b, "b", LONG).await;
    assert!(of_b.fence > of_a.fence);
    take(&a, 0..10).await;
    take(&b, 10..11).await;
    assert_eq!(owned(&b, "a").await, (0..10).collect::<Vec<_>>());
    assert_eq!(adopt(&b, &of_b, 100).await, Some(vec![]), "a lives");
    a.leave(&of_a).await.expect("there");
    let first = adopt(&b, &of_b, 6).await.expect("b lives");
    assert_eq!(first.len(), 6);
    assert_eq!(adopt(&b, &of_b, 6).await.expect("b lives").len(), 4);
    assert_eq!(adopt(&b, &of_b, 6).await, Some(vec![]));
    assert_eq!(owned(&a, "a").await, [0; 0]);
    assert_eq!(owned(&a, "b").await, (0..11).collect::<Vec<_>>());
    assert_eq!(a.open_tickets().await.expect("there").len(), 11);
    assert!(!a.beat(&of_a).await.expect("there"), "a must join");
    assert_eq!(adopt(&a, &of_a, 6).await, None);
    b.leave(&of_b).await.expect("there");
    let of_a = join(&a, "a2", LONG).await;
    assert_eq!(adopt(&a, &of_a, 100).await.expect("a lives").len(), 11);
}

/// After a heartbeat expired another bridge adopts the tickets, and the next heartbeat
/// returns false.
pub async fn a_heartbeat_that_ends_gives_the_tickets_away([a, b]: Two) {
    let of_a = join(&a, "a", SHORT).await;
    let of_b = join(&b, "b", LONG).await;
    take(&a, 1..2).await;
    let adopted = || async { adopt(&b, &of_b, 10).await == Some(vec![1]) };
    eventually("it is adopted", adopted).await;
    assert!(!a.beat(&of_a).await.expect("there"));
    assert_eq!(adopt(&a, &of_a, 10).await, None);
    assert_eq!(a.open_tickets().await.expect("there").len(), 1);
}

/// A bridge that starts again under its name has its tickets at once, and ends
/// its earlier membership.
pub async fn a_name_that_joins_again_has_its_tickets([a, again]: Two) {
    let before = join(&a, "a", LONG).await;
    take(&a, 1..4).await;
    let after = join(&again, "a", LONG).await;
    assert!(after.fence > before.fence);
    assert_eq!(owned(&again, "a").await, [1, 2, 3]);
    assert!(!a.beat(&before).await.expect("there"));
    a.leave(&before).await.expect("there");
    assert!(again.beat(&after).await.expect("there"));
}

/// A ticket that Falafel gives to another bridge belongs to that bridge.
pub async fn a_ticket_that_comes_again_is_whose_it_came_to([a, b]: Two) {
    let of_a = join(&a, "a", LONG).await;
    let of_b = join(&b, "b", LONG).await;
    take(&a, 1..3).await;
    take(&b, 1..2).await;
    assert_eq!(owned(&a, "a").await, [2]);
    assert_eq!(owned(&a, "b").await, [1]);
    a.leave(&of_a).await.expect("there");
    assert_eq!(adopt(&b, &of_b, 10).await, Some(vec![2]));
    let id = ticket(1, record(1).id).id;
    assert!(a.close_ticket(id).await.expect("there"));
    assert_eq!(owned(&a, "b").await, [2]);
    b.leave(&of_b).await.expect("there");
    let of_a = join(&a, "a2", LONG).await;
    assert_eq!(adopt(&a, &of_a, 10).await, Some(vec![2]));
}

/// One `#[tokio::test]` per behaviour that a ledger must have for a fleet.
#[macro_export]
macro_rules! bridges_conformance {
    ($make:path) => {
        $crate::ledger_conformance!(@list $make,
            the_tickets_of_a_bridge_that_left_are_adopted_once,
            a_heartbeat_that_ends_gives_the_tickets_away,
            a_name_that_joins_again_has_its_tickets,
            a_ticket_that_comes_again_is_whose_it_came_to,
        );
    };
}
