//! Elements against arkworks', the largest ones that are allowed among them.

use ark_bn254::Fq2;
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, Fp, MontBackend, MontConfig, UniformRand};

use super::{complex::Complex, coordinate::Coordinate, residue::Residue};
use crate::modulus::{Base, Limbs, Modulus, Scalar, canonical};

type Ark<M> = Fp<MontBackend<<M as Modulus>::Config, 4>, 4>;

/// From 0 to 2q − 1.
fn numbers<M: Modulus>() -> Vec<Limbs> {
    let rng = &mut ark_std::test_rng();
    let q = M::Config::MODULUS;
    let one = BigInt::from(1u64);
    let (mut below, mut above, mut most) = (q, q, q);
    below.sub_with_borrow(&one);
    above.add_with_carry(&one);
    most.add_with_carry(&below);
    let mut all = vec![BigInt::from(0u64), one, below, q, above, most];
    for _ in 0..20 {
        let mut number = Ark::<M>::rand(rng).0;
        all.push(number);
        number.add_with_carry(&q);
        all.push(number);
    }
    all.into_iter().map(|number| number.0).collect()
}

fn ark<M: Modulus>(residue: Residue<M>) -> Ark<M> {
    let limbs = residue.limbs();
    let mut twice = M::Config::MODULUS;
    twice.mul2();
    assert!(BigInt(limbs) < twice);
    canonical(&limbs)
}

fn residues<M: Modulus>() {
    let numbers = numbers::<M>();
    for a in &numbers {
        let (x, ax) = (Residue::<M>::new(*a), canonical::<M::Config>(a));
        assert_eq!(x.is_zero(), ax == Ark::<M>::ZERO);
        assert_eq!(ark(x.square_product().reduce()), ax.square());
        let least = Residue::<M>::new(ax.0.0);
        assert_eq!(ark(least.negate(true)), -ax);
        assert_eq!(ark(least.negate(false)), ax);
        for b in &numbers {
            let (y, ay) = (Residue::<M>::new(*b), canonical::<M::Config>(b));
            assert_eq!(ark(x.add(y)), ax + ay);
            assert_eq!(ark(x.sub(y)), ax - ay);
            assert_eq!(ark(x.multiply(y)), ax * ay);
            let far = x.add_far(y).product(y.add_far(x));
            assert_eq!(ark(far.reduce_far()), (ax + ay).square());
        }
    }
}

#[test]
fn residues_are_arkworks_elements() {
    residues::<Base>();
    residues::<Scalar>();
}

#[test]
fn complex_numbers_are_arkworks_elements() {
    let numbers = numbers::<Base>();
    let value = |place: usize| {
        let parts = [numbers[place], numbers[place * 7 % numbers.len()]];
        let [a, b] = parts.each_ref().map(canonical);
        (Complex::load(|part| &parts[part]), Fq2::new(a, b))
    };
    let same = |is: Complex, must: Fq2| {
        is.store(|part, limbs| {
            assert_eq!(ark::<Base>(Residue::new(limbs)), [must.c0, must.c1][part])
        });
    };
    for first in 0..numbers.len() {
        let (x, ax) = value(first);
        assert_eq!(x.is_zero(), ax == Fq2::ZERO);
        same(x.square(), ax.square());
        let divisor = x.divisor();
        let norm = ark(Complex::norm(divisor));
        if let Some(inverse) = norm.inverse() {
            same(
                Complex::inverse(divisor, Residue::new(inverse.0.0)),
                ax.inverse().unwrap(),
            );
        }
        for second in 0..numbers.len() {
            let (y, ay) = value(second);
            same(x.add(y), ax + ay);
            same(x.sub(y), ax - ay);
            same(x.multiply(y), ax * ay);
        }
    }
}
