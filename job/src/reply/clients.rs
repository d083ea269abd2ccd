//! What a native tx rollup says about its clients' statements.

use super::words::{WordReader, WordsError};
use crate::Word;

/// Public inputs of a client's statement.
const CLIENT_FIELDS: usize = 16;
/// Of these, what a tx rollup publishes: inputs 0 to 7, number 1 completed.
const PUBLISHED: usize = 8;

/// How the words of a tx rollup's tail begin, in both of its forms:
///
/// ```text
/// n ‖ n × (input 1 before the rollup completed it ‖ inputs 8 to 15) ‖ carried
/// ```
///
/// n is the number of txs. Bit i of `carried` (bit 0 the least significant)
/// says that the proof of tx i's client is among the tail's proofs: the last
/// ones, in the order of the txs. With the published fields, the words give
/// all 16 public inputs of every client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientWords {
    /// One entry a tx.
    pub txs: Vec<TxWords>,
}

/// What a tx rollup does not publish of a tx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxWords {
    /// Public input 1, before the rollup completed it.
    pub commitment1: Word,
    /// Public inputs 8 to 15.
    pub rest: [Word; CLIENT_FIELDS - PUBLISHED],
    /// Whether the client's proof is carried.
    pub carried: bool,
}

impl ClientWords {
    /// Reads the words of a tail for at most `txs` txs (64 at most); gives the
    /// words behind them too.
    pub fn read(words: &[Word], txs: u32) -> Result<(Self, &[Word]), WordsError> {
        let mut reader = WordReader::new(words);
        let n = reader.number(format_args!("number of txs"), 1, txs as usize)?;
        let mut clients = Self::default();
        for tx in 0..n {
            let words = reader.take(1 + CLIENT_FIELDS - PUBLISHED, format_args!("tx {tx}"))?;
            clients.txs.push(TxWords {
                commitment1: words[0],
                rest: words[1..].try_into().expect("eight words were taken"),
                carried: false,
            });
        }
        let at = reader.at();
        let got = reader.take(1, format_args!("carried client proofs"))?[0];
        let bits = got.to_u64().filter(|bits| n >= 64 || bits >> n == 0);
        let Some(bits) = bits else {
            return Err(WordsError::Value {
                field: "carried client proofs".to_owned(),
                got,
                must: format!("{n} bits"),
                at,
            });
        };
        for (tx, words) in clients.txs.iter_mut().enumerate() {
            words.carried = bits >> tx & 1 == 1;
        }
        Ok((clients, reader.rest()))
    }

    /// The words.
    pub fn to_words(&self) -> Vec<Word> {
        let mut words = vec![Word::from(self.txs.len() as u64)];
        let mut carried = 0;
        for (at, tx) in self.txs.iter().enumerate() {
            words.push(tx.commitment1);
            words.extend(tx.rest);
            carried |= u64::from(tx.carried) << at;
        }
        words.push(Word::from(carried));
        words
    }

    /// How many client proofs are carried.
    pub fn carried(&self) -> usize {
        self.txs.iter().filter(|tx| tx.carried).count()
    }
}

impl TxWords {
    /// What the tx rollup leaves out of a client's public inputs.
    pub fn of(fields: &[Word; CLIENT_FIELDS], carried: bool) -> Self {
        let (_, rest) = fields.split_at(PUBLISHED);
        Self {
            commitment1: fields[1],
            rest: rest.try_into().expect("eight of sixteen are left"),
            carried,
        }
    }

    /// The client's public inputs, from the fields that its slot publishes.
    pub fn fields(&self, published: &[Word; PUBLISHED]) -> [Word; CLIENT_FIELDS] {
        let mut fields = [Word::ZERO; CLIENT_FIELDS];
        fields[..PUBLISHED].copy_from_slice(published);
        fields[1] = self.commitment1;
        fields[PUBLISHED..].copy_from_slice(&self.rest);
        fields
    }
}
