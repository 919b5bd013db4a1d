//! The error page, which a browser gets in place of a problem document: what went wrong, what to do, and a link
//! to go on.

use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::i18n::MessageKey;
use crate::pages::layout::{Document, DocumentContext, layout, sentence};

#[derive(Clone, Debug)]
pub struct ErrorPage {
    pub context: DocumentContext,
    /// The HTTP status.
    pub status: u16,
    /// The heading, if it is not that of the status.
    pub title: Option<MessageKey>,
    /// What was wrong and what to do, in the reader's language.
    pub sentences: Vec<String>,
    /// The problem's English detail, if there is no translation.
    pub untranslated: Option<String>,
    /// A line of configuration at the end of a sentence.
    pub line: Option<String>,
    pub retry_after_s: Option<u32>,
    pub next: NextLink,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextLink {
    Overview,
    SignIn,
    /// The page again, once it is known who the user is; and the product, if its address is configured.
    TryAgain,
}

pub fn render(page: ErrorPage) -> Document {
    let ErrorPage { context, status, title, sentences, untranslated, line, retry_after_s, next } =
        page;
    let title = context.text(title.unwrap_or_else(|| title_message(status)));
    let line = line.as_deref();
    let paragraphs: Vec<_> = sentences.iter().map(|sentence| paragraph(sentence, line)).collect();
    let untranslated = untranslated.map(|text| view! { <p lang="en">{sentence(&text)}</p> });
    let wait = retry_after_s.map(|seconds| {
        let seconds = Arg::Number(usize::try_from(seconds).unwrap_or(usize::MAX));
        view! { <p>{context.catalog.format(MessageKey::PagesErrorWait, &[("seconds", seconds)])}</p> }
    });
    let body = view! {
        <main class="narrow-page error">
            <h1>{title}</h1>
            {paragraphs}
            {untranslated}
            {wait}
            {links(&context, next)}
            <p class="muted">{context.text(MessageKey::PagesErrorStatus)} " " {status}</p>
        </main>
    };
    // A product around the page may sign its user in.
    let signed_out = matches!(status, 401 | 410);
    layout(&context, title, body, signed_out)
}

/// A sentence. A line of configuration at its end becomes a block of its own, so that it can be copied.
fn paragraph(text: &str, line: Option<&str>) -> AnyView {
    match line.and_then(|line| Some((text.strip_suffix(line)?.to_owned(), line.to_owned()))) {
        Some((before, line)) => view! {
            <p>{before}</p>
            <pre tabindex="0">{line}</pre>
        }
        .into_any(),
        None => view! { <p>{sentence(text)}</p> }.into_any(),
    }
}

fn links(context: &DocumentContext, next: NextLink) -> impl IntoView + use<> {
    let (path, label) = match next {
        NextLink::Overview => ("", MessageKey::PagesBack),
        NextLink::SignIn => ("sign-in", MessageKey::PagesSignIn),
        NextLink::TryAgain => ("", MessageKey::PagesErrorTryAgain),
    };
    let product = context.site.admin_url.clone().filter(|_| next == NextLink::TryAgain);
    let product = product.map(|address| {
        view! {
            <p>
                <a href=address>{context.text(MessageKey::HeaderAdmin)}</a>
            </p>
        }
    });
    view! {
        {product}
        <p>
            <a href=context.address(path)>{context.text(label)}</a>
        </p>
    }
}

fn title_message(status: u16) -> MessageKey {
    match status {
        401 => MessageKey::PagesErrorNotSignedIn,
        403 => MessageKey::PagesErrorForbidden,
        404 => MessageKey::PagesErrorNotFound,
        405 => MessageKey::PagesErrorMethodNotAllowed,
        408 => MessageKey::PagesErrorTimeout,
        409 => MessageKey::PagesErrorConflict,
        410 => MessageKey::PagesErrorLinkExpired,
        413 => MessageKey::PagesErrorBodyTooLarge,
        414 => MessageKey::PagesErrorAddressTooLong,
        429 => MessageKey::PagesErrorTooManyRequests,
        503 | 507 => MessageKey::PagesErrorUnavailable,
        400..=499 => MessageKey::PagesErrorBadRequest,
        _ => MessageKey::PagesErrorInternal,
    }
}
