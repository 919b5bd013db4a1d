//! The release binary carries the site in itself: build it anew when the site has changed.

fn main() {
    println!("cargo:rerun-if-env-changed=CLUSTER_OVERVIEW_SITE_HASH");
    println!("cargo:rerun-if-changed=src/store/migrations");
}
