//! The full check of a key: everything that loading leaves out.

use zkwhirl_circuits::{Circuit, r1cs::Matrices};
use zkwhirl_keystore::{KeyError, KeyFile};

use super::{Consistency, consistent};
use crate::native::keys::{NativeKey, identity, matrices_to_bytes, read_g1, read_g2};

/// Checks a key whose bytes were checked when it was opened: its matrices are
/// those of the circuit that it names, as this release builds it; its points are
/// in their groups and belong together. `step` is called with the name of each
/// step.
///
/// Only a proof shows that the points are those of the matrices: make one with
/// the key.
pub fn audit(file: &KeyFile, step: &dyn Fn(&'static str)) -> Result<Circuit, KeyError> {
    step("circuit");
    let name = &file.circuit().name;
    let circuit: Circuit = name.parse().map_err(|_| KeyError::NoCircuit {
        path: file.path().to_owned(),
        circuit: name.clone(),
    })?;
    audit_for(file, &circuit, &circuit.matrices(), step)?;
    Ok(circuit)
}

fn audit_for(
    file: &KeyFile,
    circuit: &Circuit,
    matrices: &Matrices,
    step: &dyn Fn(&'static str),
) -> Result<(), KeyError> {
    file.check_circuit(&identity(circuit, matrices))?;
    let damaged = |problem: String| KeyError::damaged(file.path(), problem);
    if *file.section("matrices")? != matrices_to_bytes(matrices) {
        return Err(damaged("its matrices are not its circuit's".to_owned()));
    }
    step("points");
    for section in ["g1", "a", "b1", "h", "l"] {
        read_g1(&file.section(section)?)
            .map_err(|problem| damaged(format!("its section {section} {problem}")))?;
    }
    for section in ["g2", "b2"] {
        read_g2(&file.section(section)?)
            .map_err(|problem| damaged(format!("its section {section} {problem}")))?;
    }
    step("relations");
    let NativeKey { queries, vk, .. } = &NativeKey::load(file)?;
    let key = Consistency {
        alpha_g1: queries.alpha_g1,
        beta_g1: queries.beta_g1,
        delta_g1: queries.delta_g1,
        beta_g2: queries.beta_g2,
        gamma_g2: vk.gamma_g2,
        delta_g2: queries.delta_g2,
        a: &queries.a,
        b_g1: &queries.b_g1,
        b_g2: &queries.b_g2,
        h: &queries.h,
        l: &queries.l,
    };
    consistent(&key, matrices).map_err(|problem| damaged(problem.to_string()))
}
