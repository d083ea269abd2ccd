//! From Falafel to the broker and back: the broker and ledger traits with their back-ends, the Falafel client, and the bridge.
