//! Slots that wait for memory.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::FreeMemory;

#[derive(Debug)]
struct Free(AtomicU64);

impl FreeMemory for Free {
    fn free_bytes(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed))
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_stay_in_the_queue_until_there_is_memory_for_them() {
    let free = Arc::new(Free(AtomicU64::new(10 << 20)));
    let mut world = World::new();
    world.config.admission = Some(Arc::new(Admission::new(free.clone(), 30 << 20)));
    world.work(2, |_| Act::Prove(Duration::from_secs(10)));
    let start = Instant::now();
    for n in 0..4 {
        world.publish(n).await;
    }
    sleep(Duration::from_secs(60)).await;
    let depth = world.broker.depth(Topic::Inner).await.unwrap();
    assert_eq!((depth.ready, depth.consumers), (4, 0));
    // For one prover: the other slot leaves the jobs to it.
    free.0.store(40 << 20, Ordering::Relaxed);
    for _ in 0..2 {
        world.result().await;
    }
    assert!(start.elapsed() > Duration::from_secs(79));
    let depth = world.broker.depth(Topic::Inner).await.unwrap();
    assert!(depth.consumers <= 1);
    // For both.
    free.0.store(80 << 20, Ordering::Relaxed);
    for _ in 0..2 {
        world.result().await;
    }
    world.until_idle().await;
}
