use zkwhirl_circuits::Circuit;
#[test]
fn print_rows() {
    for name in ["claim/poseidon", "claim/pedersen", "tx-rollup/poseidon/1", "tx-rollup/poseidon/2", "tx-rollup/pedersen/1"] {
        let c: Circuit = name.parse().unwrap();
        let t = std::time::SystemTime::now();
        let rows = c.rows();
        let total: usize = rows.iter().map(|r| r.1).sum();
        println!("{name} {total} 2^{} {:?} {:?}", total.next_power_of_two().ilog2(), t.elapsed().unwrap(), rows);
        let t = std::time::SystemTime::now();
        let m = c.matrices();
        println!("   matrices {:?} nnz {} {} {} coefs {} witness {}", t.elapsed().unwrap(), m.a.entries(), m.b.entries(), m.c.entries(), m.coefficients.len(), m.num_witness);
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/");
    let b = std::fs::read(format!("{folder}valid_1x1_0_tx_rollup_request.bin")).unwrap();
    let zkwhirl_job::Request::TxRollup(r) = zkwhirl_job::Request::parse(&b.into()).unwrap() else { panic!() };
    let c: Circuit = "tx-rollup/pedersen/1".parse().unwrap();
    for _ in 0..2 {
    let t = std::time::SystemTime::now();
    zkwhirl_circuits::statement::tx_rollup(c.suite, &r, 1).unwrap();
    println!("native {:?}", t.elapsed().unwrap());
    let t = std::time::SystemTime::now();
    c.assign(&*r).unwrap();
    println!("assign {:?}", t.elapsed().unwrap());
    }
    let t = std::time::SystemTime::now();
    c.check(&*r).unwrap();
    println!("check {:?}", t.elapsed().unwrap());
}
