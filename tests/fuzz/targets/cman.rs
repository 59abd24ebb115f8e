#![no_main]

#[path = "../judge.rs"]
mod judge;

use inuvika_ha::import::Kind;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    judge::judge(Kind::Cman, &judge::files(&String::from_utf8_lossy(data)), data.first().is_some_and(|byte| byte % 2 == 0));
});
