//! The scripts: each change of the ledger is one of them, so that it happens
//! whole or not at all, whoever else is there.

/// The script in `lua/` of this name, behind the library; compiled into its hash
/// once.
macro_rules! script {
    ($name:literal) => {{
        static SCRIPT: std::sync::LazyLock<redis::Script> = std::sync::LazyLock::new(|| {
            redis::Script::new(concat!(
                include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/src/redis/lua/lib.lua"
                )),
                include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/src/redis/lua/",
                    $name,
                    ".lua"
                )),
            ))
        });
        &*SCRIPT
    }};
}

pub(super) use script;
