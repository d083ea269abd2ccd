//! The place of each field of a request, and its allowed values.

pub(super) struct Field {
    pub(super) name: String,
    pub(super) at: usize,
    pub(super) bytes: usize,
    pub(super) form: Form,
}

pub(super) enum Form {
    /// Anything.
    Any,
    /// The encoding of a field element.
    Element,
    /// Zero or one.
    Flag,
    /// A `u32` with a condition, and values that break it.
    Number { must: String, wrong: Vec<u32> },
}

pub(super) struct Layout {
    pub(super) kind: &'static str,
    pub(super) fields: Vec<Field>,
    at: usize,
}

impl Layout {
    /// Begins the layout of a request, with its proof id.
    fn request(kind: &'static str) -> Self {
        let mut layout = Self {
            kind,
            fields: Vec::new(),
            at: 0,
        };
        layout.number(
            "proof id",
            "0 (tx rollup), 1 (root rollup), 2 (claim) or 3 (root verifier)",
            &[4, 100, 666, u32::MAX],
        );
        layout
    }

    fn push(&mut self, name: impl Into<String>, bytes: usize, form: Form) {
        let (name, at) = (name.into(), self.at);
        self.fields.push(Field {
            name,
            at,
            bytes,
            form,
        });
        self.at += bytes;
    }

    fn number(&mut self, name: impl Into<String>, must: &str, wrong: &[u32]) {
        let (must, wrong) = (must.into(), wrong.into());
        self.push(name, 4, Form::Number { must, wrong });
    }

    fn any(&mut self, name: impl Into<String>, bytes: usize) {
        self.push(name, bytes, Form::Any);
    }

    fn element(&mut self, name: impl Into<String>) {
        self.push(name, 32, Form::Element);
    }

    /// Adds a path. Only the depth and the outer levels become cases.
    fn path(&mut self, name: &str, depth: u32) {
        self.number(
            format!("{name} depth"),
            &depth.to_string(),
            &[0, depth - 1, depth + 1, u32::MAX],
        );
        for level in 0..depth {
            if level == 0 || level == depth - 1 {
                self.element(format!("{name} level {level} left"));
                self.element(format!("{name} level {level} right"));
            } else {
                self.at += 64;
            }
        }
    }

    /// Adds a list of exactly `count` entries, such as "one a tx".
    fn exactly(&mut self, what: &str, count: u32, must: &str) {
        self.number(
            format!("number of {what}"),
            must,
            &[0, count - 1, count + 5, u32::MAX],
        );
    }

    fn at_most(&mut self, what: &str, limit: u32) {
        self.number(
            format!("number of {what}"),
            &format!("at most {limit}"),
            &[limit + 1, u32::MAX],
        );
    }

    fn bridges_and_assets(&mut self, bridges: u32, assets: u32) {
        self.at_most("bridge call datas", 32);
        for i in 0..bridges {
            self.any(format!("bridge call data {i}"), 32);
        }
        self.at_most("asset ids", 16);
        for i in 0..assets {
            self.any(format!("asset id {i}"), 32);
        }
    }

    fn interaction_note(&mut self, name: &str) {
        for word in [
            "bridge call data",
            "total input value",
            "total output value a",
            "total output value b",
        ] {
            self.any(format!("{name} {word}"), 32);
        }
        self.any(format!("{name} nonce"), 4);
        self.push(format!("{name} result"), 1, Form::Flag);
    }
}

pub(super) fn claim() -> Layout {
    let mut l = Layout::request("claim");
    l.element("data root");
    l.element("defi root");
    l.any("claim note index", 4);
    l.path("claim note path", 32);
    l.any("claim note deposit value", 32);
    l.any("claim note bridge call data", 32);
    l.any("claim note interaction nonce", 4);
    l.any("claim note fee", 32);
    l.element("claim note value note partial commitment");
    l.element("claim note input nullifier");
    l.any("defi interaction note index", 4);
    l.path("defi interaction note path", 30);
    l.interaction_note("defi interaction note");
    l.any("output value a", 32);
    l.any("output value b", 32);
    l
}

/// A tx rollup of `n` txs, 2 bridges and 2 assets.
pub(super) fn tx_rollup(n: u32, null_paths: u32) -> Layout {
    let (one_each, two_each) = (format!("{n}, one a tx"), format!("{}, two a tx", 2 * n));
    let mut l = Layout::request("tx-rollup");
    l.any("rollup id", 4);
    l.number("number of txs", "from 1 to 64", &[0, 65, u32::MAX]);
    l.any("data start index", 4);
    l.exactly("client proofs", n, &one_each);
    for i in 0..n {
        l.number(
            format!("tx {i} client proof length"),
            "2016 or 688",
            &[0, 512, 687, 689, 2015, 2017, u32::MAX],
        );
        for place in 0..16 {
            l.element(format!("tx {i} public input {place}"));
        }
        l.any(format!("tx {i} proof tail"), 1504);
    }
    l.element("old data root");
    l.element("new data root");
    l.path("old data path", 32);
    l.exactly("linked commitment paths", n, &one_each);
    for i in 0..n {
        l.path(&format!("tx {i}: linked commitment path"), 32);
    }
    l.exactly("linked commitment indices", n, &one_each);
    for i in 0..n {
        l.any(format!("tx {i}: linked commitment index"), 4);
    }
    l.element("old nullifier root");
    l.exactly("new nullifier roots", 2 * n, &two_each);
    for i in 0..2 * n {
        l.element(format!("tx {}: new nullifier root {}", i / 2, i % 2));
    }
    let full = 2 * n;
    l.number(
        "number of nullifier paths",
        &format!("{full} or {}", full + 1),
        &[0, full - 1, full + 2, u32::MAX],
    );
    for i in 0..null_paths {
        l.path(&format!("tx {}: nullifier path {}", i / 2, i % 2), 256);
    }
    l.element("data roots root");
    l.exactly("data roots paths", n, &one_each);
    for i in 0..n {
        l.path(&format!("tx {i}: data roots path"), 28);
    }
    l.exactly("data roots indices", n, &one_each);
    for i in 0..n {
        l.any(format!("tx {i}: data roots index"), 4);
    }
    l.element("new defi root");
    l.bridges_and_assets(2, 2);
    l
}

/// A root rollup of `m` inner rollups whose proofs have `proof_bytes`, 32 bridges
/// and 3 assets.
pub(super) fn root_rollup(m: u32, proof_bytes: usize, notes: u32) -> Layout {
    let mut l = Layout::request("root-rollup");
    l.any("rollup id", 4);
    l.number(
        "number of inner rollups",
        "from 1 to 64",
        &[0, 65, u32::MAX],
    );
    l.exactly("inner proofs", m, &format!("{m}, one an inner rollup"));
    for i in 0..m {
        l.number(
            format!("inner proof {i} length"),
            "at most 65536",
            &[65_537, u32::MAX],
        );
        l.any(format!("inner proof {i}"), proof_bytes);
    }
    l.element("old data roots root");
    l.element("new data roots root");
    l.path("old data roots path", 28);
    l.element("old defi root");
    l.element("new defi root");
    l.path("old defi path", 30);
    l.bridges_and_assets(32, 3);
    l.at_most("defi interaction notes", 32);
    for i in 0..notes {
        l.interaction_note(&format!("defi interaction note {i}"));
    }
    l.any("rollup beneficiary", 32);
    l
}

/// A root verifier with a root-rollup reply of `bytes`.
pub(super) fn root_verifier(bytes: usize) -> Layout {
    let mut l = Layout::request("root-verifier");
    l.number(
        "root rollup reply length",
        "at most 2097152",
        &[2_097_153, u32::MAX],
    );
    l.any("root rollup reply", bytes);
    l
}
