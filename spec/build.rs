//! Tells cargo to look at the YAML: files that are new are part of the binary, too.

fn main() {
    for folder in ["protocol", "requirements", "scenarios", "examples", "proto"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
