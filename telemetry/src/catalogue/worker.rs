//! The metrics of a worker.

use super::families;

families! {
    gauge CAPACITY "zkwhirl_worker_capacity" [TOPIC] "Slots configured for a topic; a slot for both topics counts in both.";
    gauge SLOTS "zkwhirl_worker_slots" [TOPIC SLOT] "Slots by activity. A busy slot counts in the topic of its job only, any other slot in each of its topics.";
    counter BUSY "zkwhirl_worker_busy_seconds_total" [TOPIC] "Time that slots spent on jobs, summed over slots.";
    gauge START_TO_READY "zkwhirl_worker_start_to_ready_seconds" [] "Time from the process's start until its first slot consumes a queue; 0 until then.";
    counter ATTEMPTS "zkwhirl_attempts_total" [TOPIC ATTEMPT] "Attempts that ended, by outcome.";
    counter REDELIVERED "zkwhirl_jobs_redelivered_total" [TOPIC] "Deliveries of jobs that were delivered before but not acknowledged.";
    histogram(WAIT) QUEUE_WAIT "zkwhirl_job_queue_wait_seconds" [TOPIC] "Time from taking a job to the claim of its first attempt, measured with the clocks of two machines.";
    histogram(JOB) DURATION "zkwhirl_job_duration_seconds" [TOPIC DURATION] "Time from claiming a job until its delivery is acknowledged or requeued.";
    histogram(PHASE) PHASE "zkwhirl_job_phase_duration_seconds" [TOPIC PHASE] "Duration of each phase of a successful attempt.";
    gauge PEAK_MEMORY "zkwhirl_worker_peak_memory_bytes" [TOPIC] "Peak memory of the last prover that finished a job.";
    counter PROVER_RESTARTS "zkwhirl_prover_restarts_total" [CALL] "Restarts of provers by outcome.";
}
