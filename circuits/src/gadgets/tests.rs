//! Compares gadgets with the native functions, and checks their numbers of rows.

use ark_bn254::Fr;
use ark_ec::twisted_edwards::TECurveConfig;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsConfig, Fr as Scalar};
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

/// Number of rows of a canonical check.
const CANONICAL_ROWS: usize = 53;

/// Runs a gadget in every mode. Returns the number of rows and the value;
/// `None` instead of the number if a row is not satisfied.
fn run<T>(body: impl Fn(&mut Builder) -> T) -> (Option<usize>, T) {
    let built = |mode| {
        let mut b = Builder::new(mode);
        let value = body(&mut b);
        (b, value)
    };
    let (check, value) = built(Mode::Full);
    assert_eq!(built(Mode::Count).0.num_rows(), check.num_rows());
    let satisfied = check.unsatisfied().is_empty();
    let matrices = built(Mode::Matrices).0.into_matrices();
    let assignment = built(Mode::Witness).0.into_assignment();
    assert_eq!(matrices.first_unsatisfied(&assignment).is_none(), satisfied);
    assert_eq!(matrices.num_witness, assignment.witness.len());
    (satisfied.then(|| check.num_rows()), value)
}

/// Like [`run`], and every row must be satisfied.
#[track_caller]
fn holds<T>(body: impl Fn(&mut Builder) -> T) -> (usize, T) {
    let (rows, value) = run(body);
    (rows.expect("every row is satisfied"), value)
}

fn refuses<T>(body: impl Fn(&mut Builder) -> T) -> bool {
    run(body).0.is_none()
}

fn samples() -> [Fr; 5] {
    let large = Fr::from(0xdead_beef_u64).pow([7u64]);
    [Fr::ZERO, Fr::ONE, -Fr::ONE, -Fr::from(6u64), large]
}

#[test]
fn canonical_bits() {
    for value in samples() {
        let (rows, bits) = holds(|b| {
            let num = b.alloc(value);
            bits::decompose_canonical(b, &num)
        });
        assert_eq!(rows, FIELD_BITS + 1 + CANONICAL_ROWS);
        assert_eq!(bits::pack(&bits).value(), value);
    }
}

/// Allocates 254 bits that represent `value + p`.
fn second_bits(b: &mut Builder, value: u64) -> Vec<Bit> {
    let mut integer = Fr::MODULUS;
    integer.add_with_carry(&BigInt::from(value));
    let bits = (0..FIELD_BITS).map(|j| b.alloc_bit(integer.get_bit(j)));
    bits.collect()
}

#[test]
fn a_second_spelling_is_refused_where_canonicity_is_asked_for() {
    let (_, bits) = holds(|b| second_bits(b, 5));
    assert_eq!(bits::pack(&bits).value(), Fr::from(5u64));
    assert!(refuses(|b| {
        let bits = second_bits(b, 5);
        bits::enforce_canonical(b, &bits);
    }));
}

#[test]
fn nodes() {
    // r1cs.md's 1,353 and 1,459 rows, and one row per input that makes bit 0 a variable.
    let cases = [
        (Suite::Pedersen, Inputs::Free, 1353 + 2),
        (Suite::Pedersen, Inputs::Canonical, 1459 + 2),
        (Suite::Poseidon, Inputs::Free, 240),
    ];
    for (suite, inputs, expected) in cases {
        for (left, right) in samples().into_iter().zip(samples().into_iter().rev()) {
            let (rows, out) = holds(|b| {
                let (left, right) = (b.alloc(left), b.alloc(right));
                node(b, suite, [&left, &right], inputs)
            });
            assert_eq!(out.value(), suite.node(left, right));
            assert_eq!(rows, expected, "{suite}");
        }
    }
}

#[test]
fn note_hashes_with_short_inputs() {
    let interaction = [248, 252, 252, 252, 30, 1];
    let lengths: [(HashIndex, &[usize], usize); 6] = [
        (HashIndex::ClaimNotePartial, &[242, 248, 254, 254], 2767),
        (HashIndex::ClaimNote, &[254, 30, 242], 1454),
        (HashIndex::DefiInteractionNote, &interaction, 2759),
        (HashIndex::ValueNote, &[254, 252, 30, 254], 2211),
        (HashIndex::ClaimNullifier, &[254], 728),
        (HashIndex::DefiNullifier, &[254, 254], 1459),
    ];
    let largest = |bits: &usize| match *bits {
        FIELD_BITS => -Fr::ONE,
        bits => power_of_two(bits) - Fr::ONE,
    };
    for (index, lengths, expected) in lengths {
        for suite in Suite::ALL {
            let values: Vec<Fr> = lengths.iter().map(largest).collect();
            let (rows, out) = holds(|b| {
                let words = values.iter().zip(lengths).map(|(value, bits)| {
                    let num = b.alloc(*value);
                    match *bits {
                        FIELD_BITS => BitNum::element(b, suite, &num),
                        bits => BitNum::ranged(b, &num, bits),
                    }
                });
                let words: Vec<BitNum> = words.collect();
                hash(b, suite, index, &words.iter().collect::<Vec<_>>())
            });
            assert_eq!(out.value(), suite.hash(index, &values), "{suite} {index:?}");
            if suite == Suite::Pedersen {
                assert_eq!(rows, expected + lengths.len(), "{index:?}");
            }
        }
    }
}

#[test]
fn public_hashes_of_every_width() {
    for inputs in 1..=crate::poseidon::MAX_INPUTS {
        let values: Vec<Fr> = (0..inputs as u64).map(|i| -Fr::from(i)).collect();
        let (_, out) = holds(|b| {
            let nums: Vec<Num> = values.iter().map(|v| b.alloc(*v)).collect();
            super::poseidon::hash(b, &nums)
        });
        assert_eq!(out.value(), crate::poseidon::hash(&values));
    }
}

#[test]
fn paths() {
    let index = 0b101u64;
    let siblings = [Fr::from(3u64), Fr::from(4u64), -Fr::from(5u64)];
    for suite in Suite::ALL {
        let (_, root) = holds(|b| {
            let leaf = b.alloc(Fr::from(9u64));
            let siblings = siblings.iter().enumerate();
            let path =
                siblings.map(|(level, s)| (b.alloc(*s), b.alloc_bit(index >> level & 1 == 1)));
            let path: Vec<(Num, Bit)> = path.collect();
            fold(b, suite, &leaf, &path, Inputs::Free)
        });
        let expected = tree::fold(suite, Fr::from(9u64), &siblings, index.into(), 0);
        assert_eq!(root.value(), expected);
    }
}

#[test]
fn shares() {
    let big = power_of_two(252) - Fr::ONE;
    let most = power_of_two(242) - Fr::ONE;
    let small = [
        ([10u64, 200, 20, 100], true),
        ([10, 200, 19, 100], false),
        ([10, 200, 21, 100], false),
        ([10, 209, 20, 100], true),
        ([0, 0, 0, 5], true),
        ([7, 0, 0, 9], true),
        ([7, 0, 1, 9], false),
        ([7, 3, 2, 0], false),
        ([7, 0, 0, 0], false),
        ([1, 1, 0, 2], true),
    ];
    let large = [
        ([most, big, most, big], true),
        ([most, big, most - Fr::ONE, big], false),
        ([most, big, most + Fr::ONE, big], false),
        ([most, big, big, most], true),
    ];
    let small = small.map(|(values, holds)| (values.map(Fr::from), holds));
    for (values, holds) in small.into_iter().chain(large) {
        let refused = refuses(|b| {
            let words = [242, 252, 252, 252].into_iter().zip(values);
            let words = words.map(|(bits, value)| {
                let num = b.alloc(value);
                BitNum::ranged(b, &num, bits)
            });
            let words: Vec<BitNum> = words.collect();
            enforce_share(b, [&words[0], &words[1], &words[2], &words[3]]);
        });
        assert_eq!(!refused, holds, "{values:?}");
    }
}

#[test]
fn at_most() {
    let big = power_of_two(252) - Fr::ONE;
    for (left, right, holds) in [
        (Fr::ZERO, big, true),
        (big, big, true),
        (Fr::ONE, Fr::from(2u64), true),
        (Fr::ONE, Fr::ZERO, false),
        (big, Fr::ZERO, false),
        (big, big - Fr::ONE, false),
    ] {
        let refused = refuses(|b| {
            let (left, right) = (b.alloc(left), b.alloc(right));
            bits::enforce_at_most(b, &left, &right, 252);
        });
        assert_eq!(!refused, holds, "{left} {right}");
    }
}

#[test]
fn zero_and_equal() {
    for value in samples() {
        let (rows, (zero, equal)) = holds(|b| {
            let (num, other) = (b.alloc(value), b.alloc(Fr::ONE));
            (bits::is_zero(b, &num), bits::is_equal(b, &num, &other))
        });
        assert_eq!(rows, 4);
        assert_eq!(zero.is_set(), value == Fr::ZERO);
        assert_eq!(equal.is_set(), value == Fr::ONE);
    }
}

/// `x² + y² = 1 + d·x²y²` has a complete addition law because d is not a square.
#[test]
fn the_curves_addition_has_no_exceptions() {
    assert_eq!(EdwardsConfig::COEFF_A, Fr::ONE);
    assert!(EdwardsConfig::COEFF_D.legendre().is_qnr());
}

/// Returns points of every order that divides eight, and of the prime order.
fn points() -> Vec<EdwardsAffine> {
    let eighth = (1u64..)
        .filter_map(|y| EdwardsAffine::get_point_from_y_unchecked(Fr::from(y), false))
        .map(|point| point.mul_bigint(Scalar::MODULUS).into_affine())
        .find(|point| !point.mul_bigint([4u64]).into_affine().is_zero());
    let eighth = eighth.unwrap();
    let small = (0u64..8).map(|times| eighth.mul_bigint([times]).into_affine());
    let generator = EdwardsAffine::generator();
    let large = small.clone().map(|point| (point + generator).into_affine());
    small.chain(large).collect()
}

#[track_caller]
fn same(point: &EdwardsPoint, expected: impl CurveGroup<Affine = EdwardsAffine>) {
    let expected = expected.into_affine();
    assert_eq!((point.x.value(), point.y.value()), (expected.x, expected.y));
}

#[test]
fn sums_of_points_of_every_order() {
    for left in points() {
        for right in points() {
            let (rows, sum) = holds(|b| {
                let left = EdwardsPoint::alloc(b, left.x, left.y);
                let right = EdwardsPoint::alloc(b, right.x, right.y);
                EdwardsPoint::add(b, &left, &right)
            });
            assert_eq!(rows, 4 + 4 + 6);
            same(&sum, left + right);
        }
    }
}

#[test]
fn products_of_points() {
    for scalar in samples() {
        for point in points() {
            let (_, product) = holds(|b| {
                let bits = b.alloc(scalar);
                let bits = bits::decompose_canonical(b, &bits);
                let point = EdwardsPoint::alloc(b, point.x, point.y);
                multiply(b, &bits, &point)
            });
            same(&product, point.mul_bigint(scalar.into_bigint()));
        }
        for count in [1, 7, 8, FIELD_BITS] {
            let mut low = scalar.into_bigint();
            (count..256).for_each(|bit| low.0[bit / 64] &= !(1 << (bit % 64)));
            let (_, product) = holds(|b| {
                let value = b.alloc(Fr::from_bigint(low).unwrap());
                let bits = bits::decompose(b, &value, count);
                multiply_generator(b, &bits)
            });
            same(&product, EdwardsAffine::generator().mul_bigint(low));
        }
    }
}

#[test]
fn a_point_off_the_curve_is_refused() {
    for coordinate in [Fr::ONE, Fr::ZERO] {
        assert!(refuses(|b| EdwardsPoint::alloc(b, coordinate, coordinate)));
    }
}
