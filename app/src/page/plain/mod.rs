//! Documents that are rendered once and are no more than their content: they need no scripts but the
//! theme's.

pub mod access;
pub mod audit;
pub mod sign_in;

use leptos::prelude::*;

use crate::api::Site;
use crate::cluster::Timestamp;

/// A document that is rendered once.
#[derive(Clone, Debug)]
pub struct Document {
    /// The whole of it.
    pub html: String,
    /// What its scripts bear.
    pub nonce: String,
}

/// Why somebody is not shown what they asked for, and the way back.
pub fn refusal(site: &Site, why: &str) -> Document {
    let back = format!("{}/", site.base);
    let content = view! {
        <main class="door">
            <h1>"This is not for you"</h1>
            <p>{sentence(why)}</p>
            <p>
                <a href=back>"Back to the overview"</a>
            </p>
        </main>
    };
    document(site, "Not for you", content)
}

fn document(site: &Site, title: &str, content: impl IntoView) -> Document {
    let nonce = super::nonce();
    let assets = site.assets.clone();
    let asset = move |name: &str| format!("{assets}/{name}");
    let html = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <title>{format!("{title} - Cluster Overview")}</title>
                <link rel="icon" type="image/svg+xml" href=asset("favicon.svg") />
                <link rel="stylesheet" href=asset("app.css") />
                <link rel="stylesheet" href=asset("plain.css") />
                <script nonce=nonce.clone() src=asset("theme.js")></script>
            </head>
            <body>{content}</body>
        </html>
    };
    Document { html: format!("<!DOCTYPE html>{}", html.to_html()), nonce }
}

/// The line at the top: where one is, and what stands beside it.
fn top(site: &Site, here: &'static str, beside: (&'static str, &'static str)) -> impl IntoView {
    let (name, path) = beside;
    view! {
        <header class="top">
            <nav aria-label="Breadcrumb">
                <a href=site.admin_url.clone()>"Admin"</a>
                <span class="muted" aria-hidden="true">" / "</span>
                <a href=format!("{}/", site.base)>"Cluster Overview"</a>
                <span class="muted" aria-hidden="true">" / "</span>
                <b aria-current="page">{here}</b>
            </nav>
            <div class="top-right">
                <a class="button" href=format!("{}/{path}", site.base)>
                    {name}
                </a>
                <button type="button" class="script-only" id="theme">"Theme"</button>
            </div>
        </header>
    }
}

/// A table with these heads, which scrolls within itself where it does not fit.
fn table(heads: &[&'static str], lines: impl IntoView) -> impl IntoView {
    let heads: Vec<_> = heads.iter().map(|head| view! { <th scope="col">{*head}</th> }).collect();
    view! {
        <div class="wide">
            <table>
                <thead>
                    <tr>{heads}</tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
    }
}

/// A moment in a cell, or what stands there instead.
fn moment(moment: Option<Timestamp>, none: &'static str) -> AnyView {
    match moment {
        Some(moment) => {
            view! { <time datetime=moment.rfc3339()>{moment.date_and_clock()}</time> }.into_any()
        }
        None => none.into_any(),
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>());
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{stop}", first.unwrap_or_default(), letters.as_str())
}
