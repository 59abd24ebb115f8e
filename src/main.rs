//! The binary: see `multicall` for who it is called as.
fn main() -> std::process::ExitCode {
    inuvika_ha::multicall::run()
}
