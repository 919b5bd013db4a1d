//! What stands around the page: the name, the logo and the menu of the product that it lives in.

#[cfg(feature = "ssr")]
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::page::appearance::Dress;
#[cfg(feature = "ssr")]
use crate::protocol::Site;

/// What the page borrows from the product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// The product's name.
    pub name: Option<String>,
    /// Where its name and logo lead.
    pub home: Option<String>,
    /// Where its logo is.
    pub logo: Option<String>,
    /// The entries of its menu.
    pub menu: Vec<Entry>,
    /// Where the style is that gives the page the product's colours and letters.
    pub style: Option<String>,
}

/// An entry of a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it says.
    pub text: String,
    /// Where it leads.
    pub href: String,
}

/// The bar above everything: nothing where the page is bare, or nothing is borrowed.
#[cfg(feature = "ssr")]
pub(crate) fn bar(site: &Site, dress: &Dress) -> Option<impl IntoView + use<>> {
    let Around { name, home, logo, menu, .. } = site.around.clone();
    if dress.bare || (name.is_none() && logo.is_none() && menu.is_empty()) {
        return None;
    }
    let named = name.clone();
    // A logo beside its name says nothing more; alone it is the name.
    let alt = name.as_ref().map_or("Home", |_| "");
    let logo = logo.map(|logo| view! { <img src=logo alt=alt height="24" /> });
    let base = site.base.clone();
    let entries: Vec<_> = menu
        .into_iter()
        .map(|Entry { text, href }| {
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
#[cfg(feature = "ssr")]
pub(crate) fn style(site: &Site, dress: &Dress) -> impl IntoView + use<> {
    let sheet = |href| view! { <link rel="stylesheet" href=href /> };
    let lives_within = dress.bare || site.around != Around::default();
    let own = lives_within.then(|| sheet(format!("{}/host.css", site.assets)));
    (own, site.around.style.clone().map(sheet))
}

/// The script of a document that may be framed: which pages may, and whether nobody is signed in.
#[cfg(feature = "ssr")]
pub(crate) fn script(site: &Site, nonce: &str, shut: bool) -> Option<impl IntoView + use<>> {
    let (ancestors, nonce) = (site.frame_ancestors.clone(), nonce.to_owned());
    let src = format!("{}/frame.js", site.assets);
    (!ancestors.is_empty()).then(|| {
        view! {
            <script nonce=nonce src=src data-ancestors=ancestors data-signed-out=shut.then_some("")></script>
        }
    })
}
