//! The metrics of every process.

use super::families;

families! {
    gauge BUILD "zkwhirl_build_info" [VERSION] "Always 1; the label has the version.";
    gauge START "zkwhirl_start_timestamp_seconds" [] "Time at which the process started.";
    gauge DRAINING "zkwhirl_draining" [] "1 while the process drains.";
    counter CPU "zkwhirl_cpu_seconds_total" [PART] "CPU time used by the process or by its provers.";
    gauge RESIDENT "zkwhirl_resident_bytes" [PART] "Resident memory of the process or of its provers.";
    gauge FREE_MEMORY "zkwhirl_free_memory_bytes" [] "Available memory of the machine or below the container's limit, whichever is less.";
    gauge BROKER_CONNECTED "zkwhirl_broker_connected" [CONNECTION] "1 while connected to RabbitMQ; always 1 with an embedded broker.";
    histogram(IO) PUBLISH_SECONDS "zkwhirl_broker_publish_duration_seconds" [QUEUE] "Time until the broker confirms a published message.";
    counter RETRIED "zkwhirl_jobs_retried_total" [TOPIC RETRY] "Jobs published again: by workers after a failure or a drain, by bridges after a refused reply or when the broker had lost a job.";
    histogram(COARSE) WASTED "zkwhirl_wasted_work_seconds" [TOPIC WASTE] "Proving time without a result: workers record failed attempts, bridges record refused and duplicate results.";
}
