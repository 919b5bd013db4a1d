//! Documents that are rendered once and are no more than their content: they need no scripts but the
//! theme's.

use leptos::prelude::*;

use crate::cluster::Timestamp;
use crate::i18n::Words;
use crate::page::appearance::{Appearance, Theme};
use crate::page::document::branding;
use crate::page::header::view as header;
use crate::protocol::SiteInfo;

/// Where a document lives, and how it appears.
#[derive(Clone, Debug)]
pub struct DocumentContext {
    pub site: SiteInfo,
    /// What the address says of how it appears.
    pub appearance: Appearance,
    /// In which words it is said.
    pub words: &'static Words,
}

impl DocumentContext {
    /// What a key says.
    pub(crate) fn label(&self, key: &str) -> &'static str {
        self.words.label(key)
    }

    /// The address of a path below the base, dressed alike.
    pub fn address(&self, path: &str) -> String {
        format!("{}/{path}{}", self.site.base, self.appearance.query())
    }
}

/// A document that is rendered once.
#[derive(Clone, Debug)]
pub struct Document {
    /// The whole of it.
    pub html: String,
    /// What its scripts bear.
    pub nonce: String,
}

/// A document for who is inside.
pub(crate) fn document(context: &DocumentContext, title: &str, body: impl IntoView) -> Document {
    layout(context, title, body, false)
}

/// A document for who is not let in: a product around it may let them in anew.
pub(crate) fn signed_out_page(
    context: &DocumentContext,
    title: &str,
    body: impl IntoView,
) -> Document {
    layout(context, title, body, true)
}

pub(crate) fn layout(
    context: &DocumentContext,
    title: &str,
    body: impl IntoView,
    signed_out: bool,
) -> Document {
    let nonce = crate::page::document::nonce();
    let assets = context.site.assets.clone();
    let Appearance { theme, hide_chrome, .. } = context.appearance;
    let asset = move |name: &str| format!("{assets}/{name}");
    let blocked_in_frame =
        (signed_out && !context.site.frame_ancestors.is_empty()).then(|| blocked_in_frame(context));
    let html = view! {
        <html
            lang=context.words.language().as_str()
            class="notranslate"
            translate="no"
            data-theme=theme.map(Theme::as_str)
            data-chrome=hide_chrome.then_some("none")
        >
            <head>
                <meta charset="utf-8" />
                {crate::page::document::untouched()}
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <title>{format!("{title} - Cluster Overview")}</title>
                <link rel="icon" type="image/svg+xml" href=asset("favicon.svg") />
                <link rel="stylesheet" href=asset("app.css") />
                <link rel="stylesheet" href=asset("pages.css") />
                <script nonce=nonce.clone() src=asset("theme.js")></script>
                <script nonce=nonce.clone() r#type="module" src=asset("times.js")></script>
                {branding::style(&context.site, &context.appearance)}
                {branding::script(&context.site, &nonce, signed_out)}
            </head>
            <body>
                {branding::bar(&context.site, &context.appearance)}
                {blocked_in_frame}
                {body}
            </body>
        </html>
    };
    Document { html: format!("<!DOCTYPE html>{}", html.to_html()), nonce }
}

/// That the browser keeps no session in a frame, and the way out of it; `frame.js` shows it.
fn blocked_in_frame(context: &DocumentContext) -> impl IntoView + use<> {
    let layout = Appearance { hide_chrome: false, ..context.appearance.clone() };
    let address = format!("{}/{}", context.site.base, layout.query());
    view! {
        <p id="shut-out" class="door" role="alert" hidden>
            {context.label("plain.shut-out")}
            " "
            <a href=address target="_blank">{context.label("plain.shut-out.open")}</a>
        </p>
    }
}

/// The line at the top: where one is, and what stands beside it.
pub(crate) fn top(
    context: &DocumentContext,
    here: &str,
    beside: (&str, &str),
) -> impl IntoView + use<> {
    let (name, path) = beside;
    let (here, name) = (context.label(here), context.label(name));
    view! {
        <header class="top">
            <nav aria-label=context.label("page.breadcrumb")>
                <a href=context.site.admin_url.clone()>{context.label("page.admin")}</a>
                <span class="muted" aria-hidden="true">" / "</span>
                <a href=context.address("")>"Cluster Overview"</a>
                <span class="muted" aria-hidden="true">" / "</span>
                <b aria-current="page">{here}</b>
            </nav>
            <div class="top-right">
                <a class="button" href=context.address(path)>
                    {name}
                </a>
                {header::theme(context.words)}
            </div>
        </header>
    }
}

/// A table with these heads, which scrolls within itself where it does not fit.
pub(crate) fn table<L: IntoView>(
    context: &DocumentContext,
    heads: &[&str],
    lines: L,
) -> impl IntoView + use<L> {
    let head = |key: &&str| view! { <th scope="col">{context.label(key)}</th> };
    let heads: Vec<_> = heads.iter().map(head).collect();
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
pub(crate) fn moment(moment: Option<Timestamp>, none: &'static str) -> AnyView {
    match moment {
        Some(moment) => {
            view! { <time datetime=moment.rfc3339()>{moment.date_and_clock()}</time> }.into_any()
        }
        None => none.into_any(),
    }
}

/// With a capital and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>());
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{stop}", first.unwrap_or_default(), letters.as_str())
}
