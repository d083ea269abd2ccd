//! What happens around keys and stores.

use super::families;

families! {
    histogram(PHASE) KEY_LOAD_SECONDS "zkwhirl_key_load_seconds" [KEY_SOURCE] "Time to load or make a proving key that was not in memory.";
    counter KEYSTORE_REQUESTS "zkwhirl_keystore_requests_total" [CALL] "Calls of the fleet's keystore in Redis.";
    histogram(IO) KEYSTORE_SECONDS "zkwhirl_keystore_request_duration_seconds" [] "Duration of calls of the fleet's keystore in Redis.";
    counter KEYSTORE_DAMAGED "zkwhirl_keystore_damaged_total" [] "Keys whose bytes did not match their digest or id when they were read.";
    counter LEDGER_REQUESTS "zkwhirl_ledger_requests_total" [CALL] "Calls of the ledger in Redis.";
    histogram(IO) LEDGER_SECONDS "zkwhirl_ledger_request_duration_seconds" [] "Duration of calls of the ledger in Redis, repeats included.";
}
