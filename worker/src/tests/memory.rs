//! Slots that wait for memory.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::admission::tests::Free;

#[tokio::test(start_paused = true)]
async fn jobs_stay_in_the_queue_until_there_is_memory_for_them() {
    let free = Arc::new(Free(AtomicU64::new(10 << 20)));
    let mut world = World::new();
    world.config.admission = Some(Arc::new(Admission::new(free.clone(), 30 << 20)));
    world.work(2, |_| Act::Prove(10));
    let start = Instant::now();
    world.publish_all(0..4).await;
    sleep(seconds(60)).await;
    let depth = world.depth().await;
    assert_eq!((depth.ready, depth.consumers), (4, 0));
    // Memory for one prover: only one slot claims jobs.
    free.0.store(40 << 20, Ordering::Relaxed);
    for _ in 0..2 {
        world.result().await;
    }
    assert!(start.elapsed() > seconds(79));
    let depth = world.depth().await;
    assert!(depth.consumers <= 1);
    // Memory for both provers.
    free.0.store(80 << 20, Ordering::Relaxed);
    for _ in 0..2 {
        world.result().await;
    }
    world.until_idle().await;
}
