//! What happens around keys and stores.

use super::families;

families! {
    histogram(PHASE) KEY_LOAD_SECONDS "zkwhirl_key_load_seconds" [KEY_SOURCE] "Time to get a proving key ready that was not in memory.";
    counter KEYSTORE_REQUESTS "zkwhirl_keystore_requests_total" [CALL] "Calls of the fleet's keystore in Redis.";
    histogram(IO) KEYSTORE_SECONDS "zkwhirl_keystore_request_duration_seconds" [] "How long they took.";
    counter KEYSTORE_DAMAGED "zkwhirl_keystore_damaged_total" [] "Keys that were not what they should be when they were read.";
    counter LEDGER_REQUESTS "zkwhirl_ledger_requests_total" [CALL] "Calls of the ledger in Redis.";
    histogram(IO) LEDGER_SECONDS "zkwhirl_ledger_request_duration_seconds" [] "How long they took, repeats included.";
}
