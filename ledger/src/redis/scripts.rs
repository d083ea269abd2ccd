//! The Lua scripts. Each change of the ledger is one script, which Redis runs whole
//! or not at all, without commands of other clients in between.

/// The script in `lua/` of this name, appended to the library; its hash is computed once.
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
