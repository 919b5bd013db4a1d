//! The layout of pages that are rendered once. They work without scripts; only the theme, the times and the copy buttons
//! use some.

use leptos::prelude::*;

use crate::cluster::{FieldError, Timestamp};
use crate::i18n::{Catalog, MessageKey};
use crate::page::appearance::{Appearance, Theme};
use crate::page::document::branding;
use crate::page::document::sign_in_again::sign_in_again;
use crate::page::header::view as header;
use crate::page::ui::hidden_fields;
use crate::protocol::{CurrentUser, SiteInfo, UserRole};

#[derive(Clone, Debug)]
pub struct DocumentContext {
    pub site: SiteInfo,
    pub appearance: Appearance,
    pub catalog: &'static Catalog,
    /// Who reads the page; `None` where nobody has to be known.
    pub user: Option<CurrentUser>,
}

impl DocumentContext {
    pub fn is_admin(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.role == UserRole::Admin)
    }

    pub(crate) fn text(&self, key: MessageKey) -> &'static str {
        self.catalog.text(key)
    }

    /// The address of a path below the base path; it keeps the appearance.
    pub fn address(&self, path: &str) -> String {
        format!("{}/{path}{}", self.site.base, self.appearance.query())
    }
}

#[derive(Clone, Debug)]
pub struct Document {
    pub html: String,
    /// The nonce of its scripts for the Content-Security-Policy.
    pub nonce: String,
}

/// A page for a user who is signed in.
pub(crate) fn document(context: &DocumentContext, title: &str, body: impl IntoView) -> Document {
    layout(context, title, body, false)
}

/// A page for somebody who is not signed in. A product around it may sign them in.
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
    let user = context.user.as_ref().filter(|_| !hide_chrome);
    let (again_form, again_script) =
        user.and_then(|user| sign_in_again(context.catalog, &context.site, user, &nonce)).unzip();
    let html = view! {
        <html
            lang=context.catalog.language().as_str()
            class="notranslate"
            translate="no"
            data-theme=theme.map(Theme::as_str)
            data-chrome=hide_chrome.then_some("none")
        >
            <head>
                <meta charset="utf-8" />
                {crate::page::document::head(format!("{title} - Cluster Overview"), "favicon.svg", &asset)}
                <link rel="stylesheet" href=asset("pages.css") />
                <script nonce=nonce.clone() src=asset("header.js")></script>
                <script nonce=nonce.clone() r#type="module" src=asset("times.js")></script>
                <script nonce=nonce.clone() r#type="module" src=asset(if signed_out { "code.js" } else { "copy.js" })></script>
                {again_script}
                {branding::stylesheets(&context.site, &context.appearance)}
                {branding::frame_script(&context.site, &nonce, signed_out)}
            </head>
            <body>
                {branding::product_bar(&context.site, &context.appearance)}
                {blocked_in_frame}
                {again_form}
                {body}
            </body>
        </html>
    };
    Document { html: format!("<!DOCTYPE html>{}", html.to_html()), nonce }
}

/// Says that the browser keeps no session in a frame, and links to a window. `frame.js` shows it.
fn blocked_in_frame(context: &DocumentContext) -> impl IntoView + use<> {
    let appearance = Appearance { hide_chrome: false, ..context.appearance.clone() };
    let address = format!("{}/{}", context.site.base, appearance.query());
    view! {
        <p id="blocked-in-frame" class="narrow-page" role="alert" hidden>
            {context.text(MessageKey::PagesCookiesBlocked)}
            " "
            <a href=address target="_blank">{context.text(MessageKey::PagesCookiesBlockedOpenWindow)}</a>
        </p>
    }
}

/// The header of a page that leads back to the administration: a breadcrumb, and the menu of the page; only the theme
/// where nobody has to be known.
pub(crate) fn page_header(context: &DocumentContext, title: MessageKey) -> impl IntoView + use<> {
    let address = |path: &str| context.address(path);
    let end = match context.user.clone() {
        Some(user) => header::menu(context.catalog, user, false, &address).into_any(),
        None => header::theme_button(context.catalog).into_any(),
    };
    let parents = view! {
        <a href=context.site.admin_url.clone()>{context.text(MessageKey::HeaderAdmin)}</a>
        <span class="muted" aria-hidden="true">" / "</span>
        {overview_link(context)}
    };
    header_bar(context, parents, title, end)
}

/// The header of a page about the reader's own account: a breadcrumb from the overview, and the theme.
pub(crate) fn account_header(
    context: &DocumentContext,
    title: MessageKey,
) -> impl IntoView + use<> {
    header_bar(context, overview_link(context), title, header::theme_button(context.catalog))
}

fn header_bar<P: IntoView, E: IntoView>(
    context: &DocumentContext,
    parents: P,
    title: MessageKey,
    end: E,
) -> impl IntoView + use<P, E> {
    view! {
        <header class="page-header">
            <nav aria-label=context.text(MessageKey::HeaderBreadcrumb)>
                {parents}
                <span class="muted" aria-hidden="true">" / "</span>
                <b aria-current="page">{context.text(title)}</b>
            </nav>
            <div class="page-header-end">{end}</div>
        </header>
    }
}

fn overview_link(context: &DocumentContext) -> impl IntoView + use<> {
    view! { <a href=context.address("")>"Cluster Overview"</a> }
}

/// A table that scrolls sideways within itself if it is too wide.
pub(crate) fn table<L: IntoView>(
    context: &DocumentContext,
    headers: &[MessageKey],
    rows: L,
) -> impl IntoView + use<L> {
    let header = |key: &MessageKey| view! { <th scope="col">{context.text(*key)}</th> };
    let headers: Vec<_> = headers.iter().map(header).collect();
    view! {
        <div class="table-scroll" tabindex="0">
            <table>
                <thead>
                    <tr>{headers}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// What a button of `copy.js` says, and for a time what it has done.
pub(crate) fn copy_label(context: &DocumentContext, label: MessageKey) -> impl IntoView + use<> {
    let [label, copied, selected] = [label, MessageKey::PagesCopied, MessageKey::PagesCopySelected]
        .map(|key| context.text(key));
    view! {
        <span aria-live="polite" data-copied-text=copied data-selected-text=selected>
            {label}
        </span>
    }
}

/// A text, with a button that copies it. `id`: of the text.
pub(crate) fn copyable(
    context: &DocumentContext,
    id: String,
    text: String,
) -> impl IntoView + use<> {
    view! {
        <div class="copyable">
            <pre id=id.clone() tabindex="0">{text}</pre>
            <button type="button" class="copy" data-copy-text=id>
                {copy_label(context, MessageKey::PagesCopy)}
            </button>
        </div>
    }
}

/// A time, or a text in its place.
pub(crate) fn time(time: Option<Timestamp>, none: &'static str) -> AnyView {
    match time {
        Some(time) => {
            view! { <time datetime=time.rfc3339()>{time.date_and_clock()}</time> }.into_any()
        }
        None => none.into_any(),
    }
}

/// Why a form was rejected. Its fields name it by the id `error`.
pub(crate) fn alert(error: Option<String>) -> impl IntoView {
    error.map(|error| {
        view! {
            <p class="error-text" id="error" role="alert">
                {sentence(&error)}
            </p>
        }
    })
}

/// What is wrong in a form, a line for each error.
pub(crate) fn error_list(
    context: &DocumentContext,
    id: &'static str,
    errors: &[FieldError],
    message: fn(&FieldError) -> MessageKey,
) -> impl IntoView + use<> {
    let line =
        |error: &FieldError| view! { <p class="error-text">{context.text(message(error))}</p> };
    let lines: Vec<_> = errors.iter().map(line).collect();
    (!lines.is_empty()).then(|| view! { <div role="alert" id=id>{lines}</div> })
}

/// The value of `aria-invalid` of a field.
pub(crate) fn invalid(errors: &[FieldError], field: &str) -> Option<&'static str> {
    errors.iter().any(|error| error.field == field).then_some("true")
}

/// Starts with a capital and ends with a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>());
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{stop}", first.unwrap_or_default(), letters.as_str())
}

/// The fields of a form that nobody sees.
pub(crate) fn hidden_inputs(pairs: &[(&'static str, String)]) -> impl IntoView + use<> {
    view! { <div hidden inner_html=hidden_fields(pairs).into_string()></div> }
}
