//! What stands around the page: the name, the logo and the menu of the product that it lives in.

use leptos::prelude::*;

use crate::page::appearance::Appearance;
use crate::protocol::{MenuEntry, PageBranding, SiteInfo};

/// The bar above everything: nothing where the page is bare, or nothing is borrowed.
pub(crate) fn bar(site: &SiteInfo, appearance: &Appearance) -> Option<impl IntoView + use<>> {
    let PageBranding { name, home, logo, menu, .. } = site.branding.clone();
    if appearance.hide_chrome || (name.is_none() && logo.is_none() && menu.is_empty()) {
        return None;
    }
    let named = name.clone();
    // Beside its name a logo is decoration; alone it is the name.
    let alt = name.as_ref().map_or("Home", |_| "");
    let logo = logo.map(|logo| view! { <img src=logo alt=alt height="24" /> });
    let base = site.base.clone();
    let entries: Vec<_> = menu
        .into_iter()
        .map(|MenuEntry { text, href }| {
            let here = href.trim_end_matches('/') == base;
            view! {
                <a href=href aria-current=here.then_some("page")>
                    {text}
                </a>
            }
        })
        .collect();
    let menu = (!entries.is_empty()).then(|| view! { <nav aria-label=named>{entries}</nav> });
    Some(view! {
        <div class="around">
            <a class="product-name" href=home>
                {logo}
                {name}
            </a>
            {menu}
        </div>
    })
}

/// The style of a document that lives within a product; it comes after the page's own.
pub(crate) fn style(site: &SiteInfo, appearance: &Appearance) -> impl IntoView + use<> {
    let sheet = |href| view! { <link rel="stylesheet" href=href /> };
    let lives_within = appearance.hide_chrome || site.branding != PageBranding::default();
    let own = lives_within.then(|| sheet(format!("{}/embedded.css", site.assets)));
    (own, site.branding.style.clone().map(sheet))
}

/// The script of a document that may be framed: which pages may, and whether nobody is signed in.
pub(crate) fn script(site: &SiteInfo, nonce: &str, shut: bool) -> Option<impl IntoView + use<>> {
    let (ancestors, nonce) = (site.frame_ancestors.clone(), nonce.to_owned());
    let src = format!("{}/frame.js", site.assets);
    (!ancestors.is_empty()).then(|| {
        view! {
            <script nonce=nonce src=src data-ancestors=ancestors data-signed-out=shut.then_some("")></script>
        }
    })
}
