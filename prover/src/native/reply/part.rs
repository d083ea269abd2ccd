//! A part of a statement, which one proof proves: circuit, public input, witness.

use std::sync::Arc;

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Chain, CheckError, Circuit, StatementError, Witness, field, published::Published,
    r1cs::Assignment, tx_rollup::TxRollupWitness,
};
use zkwhirl_job::Word;

/// A part of a statement, which one proof proves.
#[derive(Debug)]
pub(crate) struct StatementPart {
    pub(crate) name: String,
    pub(crate) circuit: Circuit,
    pub(crate) public_input: Fr,
    witness: Witness,
}

impl StatementPart {
    /// The only part of a statement that one circuit proves.
    pub(super) fn whole(circuit: Circuit, published: &Published, witness: Witness) -> Self {
        Self {
            name: circuit.to_string(),
            circuit,
            public_input: published.public_input(),
            witness,
        }
    }

    /// The only part of a statement whose public input follows from the witness.
    pub(crate) fn of_witness(circuit: Circuit, witness: Witness) -> Result<Self, StatementError> {
        let assignment = circuit.assign_raw(&witness)?;
        Ok(Self {
            name: circuit.to_string(),
            circuit,
            public_input: assignment.instance[1],
            witness,
        })
    }

    /// The parts of a chain, and the chain's seams as words for the reply.
    pub(super) fn of_chain(
        chain: &Chain,
        published: &Published,
        witness: Arc<TxRollupWitness>,
    ) -> (Vec<Self>, Vec<Word>) {
        let allow_chain: Vec<Fr> = witness.txs.iter().map(|tx| tx.fields[15]).collect();
        let (witnesses, seams) = chain.cut(&witness);
        let inputs = chain
            .public_inputs(published, &allow_chain, &seams)
            .expect("the seams and the fields were computed for this chain");
        let pieces = chain.pieces(allow_chain.len()).into_iter();
        let parts = pieces.zip(witnesses).zip(inputs);
        let parts = parts.map(|((piece, witness), public_input)| Self {
            name: piece.name,
            circuit: piece.circuit,
            public_input,
            witness,
        });
        let seams = seams.states.iter().chain(&seams.null_roots);
        let seams = seams.map(|value| Word(field::to_word(value)));
        (parts.collect(), seams.collect())
    }

    /// Computes the values of all variables of the circuit.
    pub(crate) fn assign(&self) -> Result<Assignment, StatementError> {
        self.circuit.assign_raw(&self.witness)
    }

    pub(super) fn check(&self) -> Result<usize, CheckError> {
        let report = self.circuit.check_raw(&self.witness)?;
        if report.public_input == self.public_input {
            Ok(report.rows)
        } else {
            Err(CheckError::PublicInput)
        }
    }
}
