//! The release binary carries the site in itself: build it anew when the site has changed.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-env-changed=CLUSTER_OVERVIEW_SITE_HASH");
    println!("cargo:rerun-if-changed=src/store/migrations");
    println!("cargo:rerun-if-changed=build.rs");
    // A debug binary reads the site's folder when asked, but only if it was there when compiled.
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    if let Err(error) = std::fs::create_dir_all(&site) {
        println!("cargo:warning=cannot create {}: {error}", site.display());
    }
}
