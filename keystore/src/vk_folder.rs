//! A folder of verification keys, one small file for each circuit. A verifier of
//! rollups needs nothing else.

use std::{
    fmt::Debug,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{
    CircuitIdentity, KeyError, KeyFile, KeyStore, Provenance,
    blobs::{self, BLOB_BYTES, BlobError},
};

const ENDING: &str = ".vk.json";

/// A source of verification keys.
pub trait VkSource: Send + Sync + Debug {
    /// The verification key of a circuit, if the source has the key.
    fn vk(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError>;
}

impl VkSource for Arc<dyn KeyStore> {
    fn vk(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError> {
        self.verification_key(circuit)
    }
}

/// A verification key with its circuit and its provenance, as JSON.
///
/// The publisher of the file vouches that the key is the circuit's: nothing in
/// the file proves that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VkFile {
    /// The circuit.
    pub circuit: CircuitIdentity,
    /// Where the setup's secret numbers came from.
    pub provenance: Provenance,
    /// The compressed key; hexadecimal in the file.
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub vk: Vec<u8>,
}

/// A folder of [`VkFile`]s, each named after its circuit.
#[derive(Debug, Clone)]
pub struct VkFolder(PathBuf);

impl VkFile {
    /// The verification key of a key file.
    pub fn of(key: &KeyFile) -> Self {
        Self {
            circuit: key.circuit().clone(),
            provenance: key.provenance().clone(),
            vk: key.vk().to_vec(),
        }
    }
}

impl VkFolder {
    /// The folder at `path`.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The path of a circuit's file.
    pub fn path(&self, circuit: &str) -> PathBuf {
        self.0
            .join(format!("{}{ENDING}", circuit.replace('/', "-")))
    }

    /// Writes a file and returns its path; creates the folder if necessary.
    pub fn put(&self, file: &VkFile) -> Result<PathBuf, KeyError> {
        let path = self.path(&file.circuit.name);
        let text = serde_json::to_string_pretty(file).expect("a key file is plain JSON");
        blobs::write_whole(&path, (text + "\n").as_bytes())?;
        Ok(path)
    }

    /// Reads the file of a circuit; `None` if it does not exist. A file of another
    /// circuit, or of the same name with other constraints, is an error.
    pub fn find(&self, circuit: &CircuitIdentity) -> Result<Option<VkFile>, KeyError> {
        let path = self.path(&circuit.name);
        let Some(text) = blobs::read(&path)? else {
            return Ok(None);
        };
        if text.len() > BLOB_BYTES {
            return Err(KeyError::damaged(&path, BlobError::TooLong.to_string()));
        }
        let file: VkFile = serde_json::from_slice(&text).map_err(|error| {
            KeyError::damaged(&path, format!("it is no verification key file: {error}"))
        })?;
        circuit.check(&path, &file.circuit)?;
        Ok(Some(file))
    }
}

impl VkSource for VkFolder {
    fn vk(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError> {
        Ok(self.find(circuit)?.map(|file| file.vk))
    }
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    hex::decode(&text)
        .map_err(|error| D::Error::custom(format!("the key is not hexadecimal: {error}")))
}

fn to_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file() -> VkFile {
        VkFile {
            circuit: CircuitIdentity {
                name: "root-rollup/poseidon/1/1".to_owned(),
                depths: "data 32".into(),
                matrices: "ab".repeat(32),
                rows: 103_691,
            },
            provenance: Provenance::DevSeeded { seed: 7 },
            vk: vec![0x01, 0x23],
        }
    }

    #[test]
    fn a_key_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let keys = VkFolder::new(&folder.path().join("new"));
        assert_eq!(keys.vk(&file().circuit).unwrap(), None);
        let path = keys.put(&file()).unwrap();
        assert!(path.ends_with("new/root-rollup-poseidon-1-1.vk.json"));
        assert_eq!(keys.find(&file().circuit).unwrap(), Some(file()));
        assert_eq!(keys.vk(&file().circuit).unwrap(), Some(vec![0x01, 0x23]));
    }

    #[test]
    fn a_file_of_other_constraints_or_of_no_key_is_refused_by_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let keys = VkFolder::new(folder.path());
        let path = keys.put(&file()).unwrap();
        let mut other = file().circuit;
        other.matrices = "cd".repeat(32);
        let error = keys.vk(&other).unwrap_err().to_string();
        assert!(error.contains("(matrices abab"), "{error}");
        let text = fs::read_to_string(&path).unwrap();
        for (text, problem) in [
            ("{}".to_owned(), "missing field"),
            (text.replace("\"0123\"", "\"xy\""), "not hexadecimal"),
            (text.replace("\"vk\"", "\"kv\""), "unknown field"),
            (" ".repeat(70_000), "more than 65536 bytes"),
        ] {
            fs::write(&path, text).unwrap();
            let error = keys.vk(&file().circuit).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let error = keys.vk(&file().circuit).unwrap_err().to_string();
        assert!(error.starts_with("cannot read "), "{error}");
    }
}
