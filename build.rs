//! Compiles `proto/` into Rust without `protoc`.

use std::env;
use std::fs;
use std::path::PathBuf;

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script by the environment where to write"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(["proto/tfplugin6.proto", "proto/go_plugin.proto"], ["proto"])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // A test counts what the descriptor holds.
    fs::write(out.join("descriptors.bin"), prost_types_bytes(&descriptors))?;
    tonic_prost_build::configure()
        .build_client(true) // the tests speak to the server as Terraform does
        .build_transport(false)
        .compile_fds(descriptors)?;
    Ok(())
}

fn prost_types_bytes(descriptors: &impl prost::Message) -> Vec<u8> {
    descriptors.encode_to_vec()
}
