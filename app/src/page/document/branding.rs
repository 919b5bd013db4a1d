//! The parts of the document that belong to the product that the page is embedded in: its bar, style sheets and
//! script.

use leptos::prelude::*;

use crate::page::appearance::Appearance;
use crate::protocol::{MenuEntry, PageBranding, SiteInfo};

/// The product's name, logo and menu; nothing without chrome, or if no branding is configured.
pub(crate) fn product_bar(
    site: &SiteInfo,
    appearance: &Appearance,
) -> Option<impl IntoView + use<>> {
    let PageBranding { name, home, logo, menu, .. } = site.branding.clone();
    if appearance.hide_chrome || (name.is_none() && logo.is_none() && menu.is_empty()) {
        return None;
    }
    let nav_label = name.clone();
    // With a name the logo is decoration; without one it stands for the name.
    let alt = name.as_ref().map_or("Home", |_| "");
    let logo = logo.map(|logo| view! { <img src=logo alt=alt height="24" /> });
    let base = site.base.clone();
    let entries: Vec<_> = menu
        .into_iter()
        .map(|MenuEntry { text, href }| {
            let is_current = href.trim_end_matches('/') == base;
            view! {
                <a href=href aria-current=is_current.then_some("page")>
                    {text}
                </a>
            }
        })
        .collect();
    let menu = (!entries.is_empty()).then(|| view! { <nav aria-label=nav_label>{entries}</nav> });
    Some(view! {
        <div class="product-bar">
            <a class="product-name" href=home>
                {logo}
                {name}
            </a>
            {menu}
        </div>
    })
}

/// After the page's own style sheet, so that they override it.
pub(crate) fn stylesheets(site: &SiteInfo, appearance: &Appearance) -> impl IntoView + use<> {
    let stylesheet = |href| view! { <link rel="stylesheet" href=href /> };
    let is_embedded = appearance.hide_chrome || site.branding != PageBranding::default();
    let embedded = is_embedded.then(|| stylesheet(format!("{}/embedded.css", site.assets)));
    (embedded, site.branding.style.clone().map(stylesheet))
}

/// The script that a document needs in a frame: which pages may frame it, and whether nobody is signed in.
pub(crate) fn frame_script(
    site: &SiteInfo,
    nonce: &str,
    signed_out: bool,
) -> Option<impl IntoView + use<>> {
    let (ancestors, nonce) = (site.frame_ancestors.clone(), nonce.to_owned());
    let src = format!("{}/frame.js", site.assets);
    (!ancestors.is_empty()).then(|| {
        view! {
            <script nonce=nonce src=src data-ancestors=ancestors data-signed-out=signed_out.then_some("")></script>
        }
    })
}
