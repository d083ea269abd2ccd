//! Tests of batches. The proofs are forged with a key's secret numbers: a verifier
//! cannot tell them from real proofs, and they take no time.

use ark_bn254::{Fq, Fq2};
use ark_ff::PrimeField;
use ark_groth16::VerifyingKey;
use ark_std::UniformRand;

use super::*;
use crate::native::keys::vk_bytes;

/// A key with its secret numbers.
#[derive(Clone)]
struct Keyed {
    key: VerificationKey,
    /// α, β, γ, δ, and the numbers behind L₀ and L₁.
    secrets: [Fr; 6],
}

fn random() -> Fr {
    Fr::rand(&mut OsRng)
}

impl Keyed {
    fn new() -> Self {
        let secrets = [(); 6].map(|()| random());
        let [alpha, beta, gamma, delta, fixed, input] = secrets;
        let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
        let vk = VerifyingKey::<Bn254> {
            alpha_g1: (g1 * alpha).into(),
            beta_g2: (g2 * beta).into(),
            gamma_g2: (g2 * gamma).into(),
            delta_g2: (g2 * delta).into(),
            gamma_abc_g1: [fixed, input].map(|scalar| (g1 * scalar).into()).to_vec(),
        };
        let key = VerificationKey::parse(&vk_bytes(&vk)).unwrap();
        Self { key, secrets }
    }

    fn prove(&self, x: Fr) -> [u8; 128] {
        let [a, b] = [random(), random()];
        let [alpha, beta, gamma, delta, fixed, input] = self.secrets;
        let c = (a * b - alpha * beta - (fixed + input * x) * gamma) / delta;
        let g1 = G1Affine::generator();
        encode(&Proof {
            a: (g1 * a).into(),
            b: (G2Affine::generator() * b).into(),
            c: (g1 * c).into(),
        })
    }
}

fn encode(proof: &Proof<Bn254>) -> [u8; 128] {
    let mut bytes = [0; 128];
    proof.serialize_compressed(&mut bytes[..]).unwrap();
    bytes
}

/// Proofs of the public inputs 0, 1, 2, …, under three keys in turn.
#[derive(Clone)]
struct TestBatch {
    keys: [Keyed; 3],
    proofs: Vec<[u8; 128]>,
    inputs: Vec<Fr>,
}

impl TestBatch {
    fn new(count: usize) -> Self {
        let keys = [(); 3].map(|()| Keyed::new());
        let inputs: Vec<Fr> = (0..count as u64).map(Fr::from).collect();
        let proofs = (0..count).map(|i| keys[i % 3].prove(inputs[i])).collect();
        Self {
            keys,
            proofs,
            inputs,
        }
    }

    fn verify(&self) -> Result<(), BadProof> {
        let entries: Vec<BatchEntry<'_>> = (0..self.proofs.len())
            .map(|i| BatchEntry {
                key: &self.keys[i % 3].key,
                public_input: self.inputs[i],
                proof: &self.proofs[i],
            })
            .collect();
        verify_batch(&entries)
    }

    #[track_caller]
    fn refused(&self, at: usize, problem: &'static str) {
        assert_eq!(self.verify(), Err(BadProof { at, problem }));
    }
}

#[test]
fn a_key_is_of_one_public_input() {
    for count in [0, 1, 3] {
        let mut vk = Keyed::new().key.prepared.vk;
        vk.gamma_abc_g1 = vec![G1Affine::generator(); count];
        let error = VerificationKey::parse(&vk_bytes(&vk))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(&format!("has {count} points")), "{error}");
    }
}

#[test]
fn good_batches_of_any_size_are_accepted() {
    for count in [0, 1, 2, 33] {
        assert_eq!(TestBatch::new(count).verify(), Ok(()), "{count}");
    }
}

#[test]
fn the_one_bad_proof_among_33_is_named_wherever_it_stands() {
    let good = TestBatch::new(33);
    for at in [0, 1, 15, 16, 31, 32] {
        let mut batch = good.clone();
        batch.proofs[at] = good.proofs[(at + 3) % 33];
        batch.refused(at, FALSE);
    }
}

#[test]
fn of_several_bad_proofs_the_first_is_named() {
    let mut batch = TestBatch::new(20);
    batch.inputs[13] += Fr::ONE;
    batch.inputs[7] += Fr::ONE;
    batch.refused(7, FALSE);
    // Bytes that are no proof do not hide an earlier false one.
    batch.proofs[10] = [0xff; 128];
    batch.refused(7, FALSE);
    batch.inputs[7] -= Fr::ONE;
    batch.refused(10, NO_POINTS);
}

#[test]
fn a_proof_is_for_its_public_input_alone() {
    for change in [Fr::ONE, -Fr::ONE, Fr::from(1u64 << 32)] {
        let mut batch = TestBatch::new(5);
        batch.inputs[4] += change;
        batch.refused(4, FALSE);
    }
}

#[test]
fn errors_of_two_proofs_do_not_cancel() {
    // The same key, and inputs whose sum is right: only the coefficients tell.
    let mut batch = TestBatch::new(6);
    batch.inputs[1] += Fr::ONE;
    batch.inputs[4] -= Fr::ONE;
    batch.refused(1, FALSE);
}

#[test]
fn swapped_proofs_are_refused() {
    // Of one key, then of two.
    for (i, j) in [(2, 5), (3, 4)] {
        let mut batch = TestBatch::new(6);
        batch.proofs.swap(i, j);
        batch.refused(i, FALSE);
    }
}

#[test]
fn a_proof_with_any_bit_changed_is_refused() {
    let good = TestBatch::new(2);
    for bit in 0..1024 {
        let mut batch = good.clone();
        batch.proofs[1][bit / 8] ^= 1 << (bit % 8);
        assert_eq!(batch.verify().unwrap_err().at, 1, "bit {bit}");
    }
}

/// Adds the modulus to a little-endian coordinate; the sum must fit 32 bytes.
fn not_reduced(coordinate: &mut [u8]) -> bool {
    let flags = coordinate[31] & 0xc0;
    coordinate[31] &= 0x3f;
    let mut carry = 0;
    for (byte, modulus) in coordinate
        .iter_mut()
        .zip(Fq::MODULUS.0.map(u64::to_le_bytes).as_flattened())
    {
        let sum = u16::from(*byte) + u16::from(*modulus) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    let fits = coordinate[31] < 0x40;
    coordinate[31] |= flags;
    fits
}

#[test]
fn a_second_encoding_of_a_good_proof_is_refused() {
    let good = TestBatch::new(1);
    // A coordinate of 254 bits below the modulus can be written again in 254
    // bits when it is small: about one in three, so a few proofs will do.
    let mut seen = [0; 4];
    while seen.contains(&0) {
        for (part, count) in seen.iter_mut().enumerate() {
            let mut batch = good.clone();
            batch.proofs[0] = batch.keys[0].prove(batch.inputs[0]);
            assert_eq!(batch.verify(), Ok(()));
            if not_reduced(&mut batch.proofs[0][32 * part..32 * part + 32]) {
                batch.refused(0, NO_POINTS);
                *count += 1;
            }
        }
    }
    // Infinity with a coordinate: the library would read it.
    let mut batch = good;
    let mut infinity = [0; 32];
    infinity[31] = 0x40;
    batch.proofs[0][..32].copy_from_slice(&infinity);
    batch.refused(0, FALSE);
    infinity[0] = 7;
    batch.proofs[0][..32].copy_from_slice(&infinity);
    batch.refused(0, NOT_CANONICAL);
}

#[test]
fn points_off_the_curve_or_outside_the_group_are_refused() {
    let good = TestBatch::new(3);
    let with_b = |b: G2Affine| {
        let mut batch = good.clone();
        let mut proof = read_proof(&batch.proofs[1]).unwrap();
        proof.b = b;
        batch.proofs[1] = encode(&proof);
        batch
    };
    // Three of four coordinates have a point, nearly none of them in the group
    // of prime order.
    let outside = (1u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::from(x), true))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .unwrap();
    assert!(outside.is_on_curve());
    with_b(outside).refused(1, NO_POINTS);
    with_b(G2Affine::generator()).refused(1, FALSE);
    with_b(G2Affine::zero()).refused(1, FALSE);
    let mut batch = good.clone();
    let off = (1u64..)
        .map(Fq::from)
        .find(|x| G1Affine::get_point_from_x_unchecked(*x, true).is_none())
        .unwrap();
    off.serialize_compressed(&mut batch.proofs[2][96..])
        .unwrap();
    batch.refused(2, NO_POINTS);
}
