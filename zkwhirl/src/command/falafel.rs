use crate::cli::FalafelArgs;
pub(super) fn run(_args: FalafelArgs) -> anyhow::Result<std::process::ExitCode> {
    anyhow::bail!("not yet")
}
