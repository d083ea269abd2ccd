//! Gadgets against the native functions, with their row counts.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField};

use super::bits;
use super::edwards::{EdwardsPoint, multiply, multiply_generator};
use super::hash::{BitNum, Inputs, hash, node};
use super::integer::enforce_share;
use super::merkle::fold;
use crate::field::{FIELD_BITS, power_of_two};
use crate::r1cs::{Bit, Builder, Mode, Num};
use crate::suite::{HashIndex, Suite};
use crate::tree;

/// Rows of a canonical check.
const CANONICAL_ROWS: usize = 53;

fn run<T>(body: impl Fn(&mut Builder) -> T) -> (Builder, T) {
    let mut check = Builder::new(Mode::Full);
    let value = body(&mut check);
    let mut count = Builder::new(Mode::Count);
    body(&mut count);
    let mut blank = Builder::new(Mode::Matrices);
    body(&mut blank);
    let mut witness = Builder::new(Mode::Witness);
    body(&mut witness);
    assert_eq!(count.num_rows(), check.num_rows());
    let satisfied = check.unsatisfied().is_empty();
    let (matrices, assignment) = (blank.into_matrices(), witness.into_assignment());
    assert_eq!(matrices.first_unsatisfied(&assignment).is_none(), satisfied);
    assert_eq!(matrices.num_witness, assignment.witness.len());
    (check, value)
}

fn samples() -> Vec<Fr> {
    let one = Fr::ONE;
    vec![
        Fr::ZERO,
        one,
        -one,
        -Fr::from(6u64),
        Fr::from(0xdead_beef_u64).pow([7u64]),
    ]
}

#[test]
fn canonical_bits() {
    for value in samples() {
        let (b, bits) = run(|b| {
            let num = b.alloc(value);
            bits::decompose_canonical(b, &num)
        });
        assert!(b.unsatisfied().is_empty());
        assert_eq!(b.num_rows(), FIELD_BITS + 1 + CANONICAL_ROWS);
        assert_eq!(bits::pack(&bits).value(), value);
    }
}

/// 254 bits that spell `value + p`.
fn second_bits(b: &mut Builder, value: u64) -> Vec<Bit> {
    let mut integer = Fr::MODULUS;
    integer.add_with_carry(&BigInt::from(value));
    (0..FIELD_BITS)
        .map(|j| b.alloc_bit(integer.get_bit(j)))
        .collect()
}

#[test]
fn a_second_spelling_is_refused_where_canonicity_is_asked_for() {
    let (b, bits) = run(|b| second_bits(b, 5));
    assert_eq!(bits::pack(&bits).value(), Fr::from(5u64));
    assert!(b.unsatisfied().is_empty());
    let (b, ()) = run(|b| {
        let bits = second_bits(b, 5);
        bits::enforce_canonical(b, &bits);
    });
    assert!(!b.unsatisfied().is_empty());
}

#[test]
fn nodes() {
    // r1cs.md's 1,353 and 1,459, and one row per input that makes bit 0 a variable.
    let cases = [
        (Suite::Pedersen, Inputs::Free, 1353 + 2),
        (Suite::Pedersen, Inputs::Canonical, 1459 + 2),
        (Suite::Poseidon, Inputs::Free, 240),
    ];
    for (suite, inputs, rows) in cases {
        for (left, right) in samples().into_iter().zip(samples().into_iter().rev()) {
            let (b, out) = run(|b| {
                let (left, right) = (b.alloc(left), b.alloc(right));
                node(b, suite, [&left, &right], inputs)
            });
            assert_eq!(b.unsatisfied(), []);
            assert_eq!(out.value(), suite.node(left, right));
            assert_eq!(b.num_rows(), rows, "{suite}");
        }
    }
}

#[test]
fn note_hashes_with_short_inputs() {
    let lengths: [(HashIndex, &[usize], usize); 6] = [
        (HashIndex::ClaimNotePartial, &[242, 248, 254, 254], 2767),
        (HashIndex::ClaimNote, &[254, 30, 242], 1454),
        (
            HashIndex::DefiInteractionNote,
            &[248, 252, 252, 252, 30, 1],
            2759,
        ),
        (HashIndex::ValueNote, &[254, 252, 30, 254], 2211),
        (HashIndex::ClaimNullifier, &[254], 728),
        (HashIndex::DefiNullifier, &[254, 254], 1459),
    ];
    for (index, lengths, rows) in lengths {
        for suite in Suite::ALL {
            let values: Vec<Fr> = lengths
                .iter()
                .map(|bits| {
                    if *bits == FIELD_BITS {
                        -Fr::ONE
                    } else {
                        power_of_two(*bits) - Fr::ONE
                    }
                })
                .collect();
            let (b, out) = run(|b| {
                let mut words = Vec::new();
                for (value, bits) in values.iter().zip(lengths) {
                    let num = b.alloc(*value);
                    words.push(if *bits == FIELD_BITS {
                        BitNum::element(b, suite, &num)
                    } else {
                        BitNum::ranged(b, &num, *bits)
                    });
                }
                hash(b, suite, index, &words.iter().collect::<Vec<_>>())
            });
            assert_eq!(b.unsatisfied(), []);
            assert_eq!(out.value(), suite.hash(index, &values), "{suite} {index:?}");
            if suite == Suite::Pedersen {
                assert_eq!(b.num_rows(), rows + lengths.len(), "{index:?}");
            }
        }
    }
}

#[test]
fn public_hashes_of_every_width() {
    for inputs in 1..=crate::poseidon::MAX_INPUTS {
        let values: Vec<Fr> = (0..inputs as u64).map(|i| -Fr::from(i)).collect();
        let (b, out) = run(|b| {
            let nums: Vec<Num> = values.iter().map(|v| b.alloc(*v)).collect();
            super::hash::public_hash(b, &nums)
        });
        assert_eq!(b.unsatisfied(), []);
        assert_eq!(out.value(), crate::poseidon::hash(&values));
    }
}

#[test]
fn paths() {
    let index = 0b101u64;
    let siblings = [Fr::from(3u64), Fr::from(4u64), -Fr::from(5u64)];
    for suite in Suite::ALL {
        let (b, root) = run(|b| {
            let leaf = b.alloc(Fr::from(9u64));
            let path: Vec<(Num, Bit)> = siblings
                .iter()
                .enumerate()
                .map(|(level, s)| (b.alloc(*s), b.alloc_bit(index >> level & 1 == 1)))
                .collect();
            fold(b, suite, &leaf, &path, Inputs::Free)
        });
        assert_eq!(b.unsatisfied(), []);
        let expected = tree::fold(suite, Fr::from(9u64), &siblings, index.into(), 0);
        assert_eq!(root.value(), expected);
    }
}

#[track_caller]
fn share(values: [u128; 4], holds: bool) {
    share_of(values.map(Fr::from), holds);
}

#[track_caller]
fn share_of(values: [Fr; 4], holds: bool) {
    let (b, ()) = run(|b| {
        let words = [242, 252, 252, 252]
            .into_iter()
            .zip(values)
            .map(|(bits, value)| {
                let num = b.alloc(value);
                BitNum::ranged(b, &num, bits)
            });
        let words: Vec<BitNum> = words.collect();
        enforce_share(b, [&words[0], &words[1], &words[2], &words[3]]);
    });
    assert_eq!(b.unsatisfied().is_empty(), holds, "{values:?}");
}

#[test]
fn shares() {
    share([10, 200, 20, 100], true);
    share([10, 200, 19, 100], false);
    share([10, 200, 21, 100], false);
    share([10, 209, 20, 100], true);
    share([0, 0, 0, 5], true);
    share([7, 0, 0, 9], true);
    share([7, 0, 1, 9], false);
    share([7, 3, 2, 0], false);
    share([7, 0, 0, 0], false);
    share([1, 1, 0, 2], true);
    let big = power_of_two(252) - Fr::ONE;
    let most = power_of_two(242) - Fr::ONE;
    share_of([most, big, most, big], true);
    share_of([most, big, most - Fr::ONE, big], false);
    share_of([most, big, most + Fr::ONE, big], false);
    share_of([most, big, big, most], true);
}

#[test]
fn at_most() {
    let check = |left: Fr, right: Fr| {
        let (b, ()) = run(|b| {
            let (left, right) = (b.alloc(left), b.alloc(right));
            bits::enforce_at_most(b, &left, &right, 252);
        });
        b.unsatisfied().is_empty()
    };
    let big = power_of_two(252) - Fr::ONE;
    assert!(check(Fr::ZERO, big) && check(big, big) && check(Fr::ONE, Fr::from(2u64)));
    assert!(!check(Fr::ONE, Fr::ZERO) && !check(big, Fr::ZERO) && !check(big, big - Fr::ONE));
}

#[test]
fn zero_and_equal() {
    for value in samples() {
        let (b, (zero, equal)) = run(|b| {
            let (num, other) = (b.alloc(value), b.alloc(Fr::ONE));
            (bits::is_zero(b, &num), bits::is_equal(b, &num, &other))
        });
        assert_eq!(b.unsatisfied(), []);
        assert_eq!(b.num_rows(), 4);
        assert_eq!(zero.is_set(), value == Fr::ZERO);
        assert_eq!(equal.is_set(), value == Fr::ONE);
    }
}

/// `x² + y² = 1 + d·x²y²` has a complete addition law because d is no square.
#[test]
fn the_curves_addition_has_no_exceptions() {
    use ark_ec::twisted_edwards::TECurveConfig;
    use ark_ed_on_bn254::EdwardsConfig;
    assert_eq!(EdwardsConfig::COEFF_A, Fr::ONE);
    assert!(EdwardsConfig::COEFF_D.legendre().is_qnr());
}

/// Points of every order that divides eight, and of the prime order.
fn points() -> Vec<ark_ed_on_bn254::EdwardsAffine> {
    use ark_ec::{AffineRepr, CurveGroup};
    use ark_ed_on_bn254::{EdwardsAffine, Fr as Scalar};
    let order = Scalar::MODULUS;
    let eighth = (1u64..)
        .filter_map(|y| EdwardsAffine::get_point_from_y_unchecked(Fr::from(y), false))
        .map(|point| point.mul_bigint(order).into_affine())
        .find(|point| !point.mul_bigint([4u64]).into_affine().is_zero());
    let eighth = eighth.unwrap();
    let small = (0u64..8).map(|times| eighth.mul_bigint([times]).into_affine());
    let generator = EdwardsAffine::generator();
    let large = small.clone().map(|point| (point + generator).into_affine());
    small.chain(large).collect()
}

#[test]
fn sums_of_points_of_every_order() {
    use ark_ec::CurveGroup;
    for left in points() {
        for right in points() {
            let (b, sum) = run(|b| {
                let left = EdwardsPoint::alloc(b, left.x, left.y);
                let right = EdwardsPoint::alloc(b, right.x, right.y);
                EdwardsPoint::add(b, &left, &right)
            });
            assert_eq!(b.unsatisfied(), []);
            assert_eq!(b.num_rows(), 4 + 4 + 6);
            let expected = (left + right).into_affine();
            assert_eq!((sum.x.value(), sum.y.value()), (expected.x, expected.y));
        }
    }
}

#[test]
fn products_of_points() {
    use ark_ec::{AffineRepr, CurveGroup};
    for scalar in samples() {
        for point in points() {
            let (b, product) = run(|b| {
                let bits = b.alloc(scalar);
                let bits = bits::decompose_canonical(b, &bits);
                let point = EdwardsPoint::alloc(b, point.x, point.y);
                multiply(b, &bits, &point)
            });
            assert_eq!(b.unsatisfied(), []);
            let expected = point.mul_bigint(scalar.into_bigint()).into_affine();
            assert_eq!(
                (product.x.value(), product.y.value()),
                (expected.x, expected.y)
            );
        }
        for count in [1, 7, 8, FIELD_BITS] {
            let mut low = scalar.into_bigint();
            (count..256).for_each(|bit| low.0[bit / 64] &= !(1 << (bit % 64)));
            let (b, product) = run(|b| {
                let value = b.alloc(Fr::from_bigint(low).unwrap());
                let bits = bits::decompose(b, &value, count);
                multiply_generator(b, &bits)
            });
            assert_eq!(b.unsatisfied(), []);
            let generator = ark_ed_on_bn254::EdwardsAffine::generator();
            let expected = generator.mul_bigint(low).into_affine();
            assert_eq!(
                (product.x.value(), product.y.value()),
                (expected.x, expected.y)
            );
        }
    }
}

#[test]
fn a_point_off_the_curve_is_refused() {
    let (b, _) = run(|b| EdwardsPoint::alloc(b, Fr::ONE, Fr::ONE));
    assert!(!b.unsatisfied().is_empty());
    let (b, _) = run(|b| EdwardsPoint::alloc(b, Fr::ZERO, Fr::ZERO));
    assert!(!b.unsatisfied().is_empty());
}
