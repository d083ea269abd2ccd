//! The native statements over BN254: suites of hashes, R1CS, witnesses, published fields. No files, no networks.
