//! Build script: links the unwinder into the program instead of loading libgcc_s at each start, and links the program for
//! a fixed address.
//!
//! A monitor runs every ten seconds on every node for ever, and most of its cost is the start of its process. libgcc_s
//! costs a tenth of that: a library to map, and a constructor that asks the processor for its features, which a virtual
//! machine answers slowly. The static unwinder of a new compiler wants a new C library (GLIBC_2.35 with GCC 12), so a build
//! for older distributions sets INUVIKA_SHARED_UNWINDER=1.
//!
//! A program that can be loaded anywhere has every pointer in its tables corrected at each start. The libraries for TLS,
//! HTTP and MySQL bring 20,000 of them, which no monitor of depth 0 ever looks at; correcting them costs half of what
//! /bin/true costs as a whole. Stack, heap and libraries stay at random addresses, and the tables stay read-only. A
//! build that has to be position independent sets INUVIKA_PIE=1 and pays for it.

// Cargo reads the standard output of a build script.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=packaging/linking.rs");
    let target = std::env::var("TARGET").unwrap_or_default();
    let host = std::env::var("HOST").unwrap_or_default();
    // Elsewhere, and where the compiler has no static unwinder, the usual shared one does.
    let shared = std::env::var_os("INUVIKA_SHARED_UNWINDER").is_some();
    println!("cargo:rerun-if-env-changed=INUVIKA_SHARED_UNWINDER");
    println!("cargo:rerun-if-env-changed=INUVIKA_PIE");
    if std::env::var_os("INUVIKA_PIE").is_none() && target == host && target.ends_with("-linux-gnu") {
        // Of gcc's two words for it the last one counts, and rustc's own comes first.
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    if shared || target != host || !target.ends_with("-linux-gnu") || !has_static_unwinder() {
        return;
    }
    let Ok(folder) = std::env::var("OUT_DIR") else { return };
    // rustc asks for -lgcc_s; the linker takes the first file of that name, and a text file is a script to it.
    if std::fs::write(Path::new(&folder).join("libgcc_s.so"), "INPUT(-lgcc_eh)\n").is_ok() {
        println!("cargo:rustc-link-search=native={folder}");
    }
}

fn has_static_unwinder() -> bool {
    let answer = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    // A compiler without the file answers with its bare name.
    answer.is_ok_and(|out| out.status.success() && Path::new(String::from_utf8_lossy(&out.stdout).trim()).is_absolute())
}
