//! Random calls on the ledger and on its model, the embedded ledger.

use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::{EmbeddedLedger, Taken};

/// The two ledgers are not called at the same time.
fn timeless(job: JobRecord) -> JobRecord {
    JobRecord {
        changed_at_ms: 0,
        taken_at_ms: 0,
        ..job
    }
}

/// Makes one random call and returns the answer as text. Equal seeds give equal calls.
async fn step(ledger: &dyn Ledger, random: &mut StdRng) -> String {
    let (n, m) = (random.gen_range(0..12), random.gen_range(0..5));
    let (job, ticket) = (record(m), ticket(n, record(m).id));
    let mut state = || JobState::ALL[random.gen_range(0..JobState::ALL.len())];
    let (from, to) = ([state(), state(), state()], state());
    let known = ledger.job(job.id).await.unwrap().is_some();
    match random.gen_range(0..10) {
        0 | 1 => {
            let taken = ledger.take(&ticket, &job, &request(m)).await.unwrap();
            let job = timeless(taken.job);
            format!("{:?}", Taken { job, ..taken })
        }
        2 => format!("{:?}", ledger.close_ticket(ticket.id).await),
        3..=5 => {
            let note = Note {
                attempt: (n % 2 == 0).then_some(n),
                worker: (n % 3 == 0).then(|| format!("w{n}")),
                reason: None,
            };
            format!("{:?}", ledger.transition(job.id, &from, to, &note).await)
        }
        // The two differ on purpose: the ledger on Redis keeps a result without its
        // job, because the job existed when the worker began.
        6 if !known => String::new(),
        6 => {
            let result = StoredResult::new(Bytes::from(vec![n as u8; 9]), n, "w", 1);
            format!("{:?}", ledger.store_result(job.id, &result).await)
        }
        7 if n == 0 => format!("{:?}", ledger.drop_result(job.id).await),
        7 => format!("{:?}", ledger.result(job.id).await),
        8 => {
            let jobs = ledger.jobs(&from, n as usize).await.unwrap();
            let jobs: Vec<_> = jobs.into_iter().map(timeless).collect();
            format!("{jobs:?}")
        }
        _ => format!(
            "{:?} {:?} {:?} {:?}",
            ledger.job(job.id).await.unwrap().map(timeless),
            ledger.open_tickets().await,
            ledger.tickets_of(job.id).await,
            ledger.request(job.id).await,
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn it_does_what_the_embedded_one_does(seed: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let (redis, embedded) = (scratch(), EmbeddedLedger::default());
            let mut random = [0, 1].map(|_| StdRng::seed_from_u64(seed));
            for step_n in 0..150 {
                let did = step(&redis, &mut random[0]).await;
                let must = step(&embedded, &mut random[1]).await;
                prop_assert_eq!(did, must, "step {}", step_n);
            }
            Ok(())
        })?;
    }
}
