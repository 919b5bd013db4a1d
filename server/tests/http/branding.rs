//! The branding of the product around the page.

use std::path::Path;

use cluster_overview::site::branding::Branding;

use crate::harness::Running;

fn example(name: &str) -> Branding {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/branding");
    Branding::read(&folder.join(name)).unwrap()
}

/// The URL after this text in a document.
fn address<'a>(page: &'a str, before: &str) -> &'a str {
    page.split(before).nth(1).unwrap().split('"').next().unwrap()
}

#[test]
fn name_logo_menu_and_look_are_the_products_and_files_are_cached() {
    let overview = Running::branded(example("meadow.toml"), "/admin/cluster");
    for path in ["/admin/cluster/", "/admin/cluster/access"] {
        let page = overview.get(path).body;
        let page = page.as_str().unwrap();
        assert!(page.contains("Meadow") && page.contains("href=\"/packages\""), "{path}");
        let here = page.split("href=\"/admin/cluster\"").nth(1).unwrap();
        assert!(here.starts_with(" aria-current=\"page\""), "{path}: the entry where one is");
        for (file, kind, holds) in [
            (address(page, "<img src=\""), "image/svg+xml; charset=utf-8", "<svg"),
            (look(page), "text/css; charset=utf-8", "--density:0.6"),
        ] {
            let answer = overview.get(file);
            assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{file}");
            assert!(answer.header("cache-control").contains("immutable"), "{file}");
            assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
            assert!(answer.body.as_str().unwrap().contains(holds), "{file}");
        }
    }
    let gone = overview.get("/admin/cluster/branding/0123456789abcdef/logo");
    assert_eq!(gone.status, 404);
}

/// The URL of the product's style sheet.
fn look(page: &str) -> &str {
    let all = page.split("rel=\"stylesheet\" href=\"").skip(1);
    let mut addresses = all.map(|rest| rest.split('"').next().unwrap());
    addresses.find(|address| address.contains("/branding/")).unwrap()
}

#[test]
fn in_a_frame_the_look_stays_and_the_product_shows_the_rest() {
    let overview = Running::branded(example("ember.toml"), "");
    let page = overview.get("/?chrome=none").body;
    let page = page.as_str().unwrap();
    assert!(!page.contains("Ember") && look(page).starts_with("/branding/"));
}
