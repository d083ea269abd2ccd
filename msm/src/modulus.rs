//! The primes of BN254 and the numbers that stand for their elements.

use ark_bn254::{FqConfig, FrConfig};
use ark_ff::{BigInt, BigInteger, Fp, MontBackend, MontConfig};

/// One field element in memory: 256 bits, least significant limb first.
pub(crate) type Limbs = [u64; 4];

/// A prime q of BN254.
pub(crate) trait Modulus: Copy + Send + Sync {
    type Config: MontConfig<4>;
    const NUMBER: Limbs = <Self::Config as MontConfig<4>>::MODULUS.0;
    /// −1/q mod 2^64.
    const INVERSE: u64 = <Self::Config as MontConfig<4>>::INV;
}

/// Of coordinates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base;

/// Of scalars.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scalar;

impl Modulus for Base {
    type Config = FqConfig;
}

impl Modulus for Scalar {
    type Config = FrConfig;
}

/// arkworks' element of a stored number, which may exceed q.
pub(crate) fn canonical<C: MontConfig<4>>(number: &Limbs) -> Fp<MontBackend<C, 4>, 4> {
    let mut number = BigInt(*number);
    while number >= C::MODULUS {
        number.sub_with_borrow(&C::MODULUS);
    }
    Fp::new_unchecked(number)
}
