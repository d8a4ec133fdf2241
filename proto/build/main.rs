//! Compiles the contract without protoc: messages, services, the checks of their rules, how texts are tidied, what is
//! personal, what rows are about, and words.

mod grants;
mod keys;
mod methods;
mod parts;
mod personal;
mod reach;
mod rules;
mod tidy;
mod words;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use prost_reflect::DescriptorPool;

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=tongxin");
    println!("cargo::rerun-if-changed=third_party");

    let files = proto_files(Path::new("tongxin"))?;
    let compiler = compiled(&files)?;
    // The typed set drops our own options; these bytes still have them.
    let bytes = compiler.encode_file_descriptor_set();
    // The toy service is none of the product's: its servers neither answer for it nor show it.
    let product: Vec<_> = files.into_iter().filter(|file| !file.starts_with("tongxin/toy")).collect();
    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script by the environment")]
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let pool = DescriptorPool::decode(bytes.as_slice())?;
    methods::check(&pool)?;
    grants::check(&pool)?;
    let reach = reach::Reach::of(&pool);
    fs::write(out.join("rules.rs"), rules::generate(&pool, &reach)?)?;
    fs::write(out.join("tidy.rs"), tidy::generate(&pool, &reach)?)?;
    fs::write(out.join("requests.rs"), tidy::generate_for_tests(&pool, &reach)?)?;
    fs::write(out.join("parts.rs"), parts::generate(&pool)?)?;
    fs::write(out.join("keys.rs"), keys::generate(&pool)?)?;
    fs::write(out.join("personal.rs"), personal::generate(&pool)?)?;
    fs::write(out.join("words.rs"), words::generate(&pool)?)?;
    fs::write(out.join("with_toy.bin"), &bytes)?;
    fs::write(out.join("contract.bin"), compiled(&product)?.encode_file_descriptor_set())?;

    let mut files = compiler.file_descriptor_set();
    files.file.retain(|file| file.package() != "buf.validate");
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure()
        .codec_path("crate::codec::CheckedCodec")
        .include_file("contract.rs")
        .compile_fds_with_config(files, config)?;
    Ok(())
}

fn compiled(files: &[PathBuf]) -> anyhow::Result<protox::Compiler> {
    let mut compiler = protox::Compiler::new([".", "third_party"])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(files)?;
    Ok(compiler)
}

/// Whether code is generated for a package; the other imports are only read.
fn is_ours(package: &str) -> bool {
    package.starts_with("tongxin.") || package == "google.type"
}

fn proto_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
