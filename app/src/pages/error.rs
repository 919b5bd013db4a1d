//! The error page, which a browser gets in place of a problem document: what went wrong, what to do, and a link
//! to go on.

use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::pages::layout::{Document, DocumentContext, layout, sentence};

#[derive(Clone, Debug)]
pub struct ErrorPage {
    pub context: DocumentContext,
    /// The HTTP status.
    pub status: u16,
    /// The message key of the heading, if it is not that of the status.
    pub title: Option<&'static str>,
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
    let title = context.label(title.unwrap_or_else(|| title_key(status)));
    let line = line.as_deref();
    let paragraphs: Vec<_> = sentences.iter().map(|sentence| paragraph(sentence, line)).collect();
    let untranslated = untranslated.map(|text| view! { <p lang="en">{sentence(&text)}</p> });
    let wait = retry_after_s.map(|seconds| {
        let seconds = Arg::Number(usize::try_from(seconds).unwrap_or(usize::MAX));
        view! { <p>{context.words.say("plain.error.wait", &[("seconds", seconds)])}</p> }
    });
    let body = view! {
        <main class="narrow-page error">
            <h1>{title}</h1>
            {paragraphs}
            {untranslated}
            {wait}
            {links(&context, next)}
            <p class="muted">{context.label("plain.error.status")} " " {status}</p>
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
        NextLink::Overview => ("", "plain.back"),
        NextLink::SignIn => ("sign-in", "plain.sign-in"),
        NextLink::TryAgain => ("", "plain.error.again"),
    };
    let product = context.site.admin_url.clone().filter(|_| next == NextLink::TryAgain);
    let product = product.map(|address| {
        view! {
            <p>
                <a href=address>{context.label("page.admin")}</a>
            </p>
        }
    });
    view! {
        {product}
        <p>
            <a href=context.address(path)>{context.label(label)}</a>
        </p>
    }
}

/// The message key of the heading.
fn title_key(status: u16) -> &'static str {
    match status {
        401 => "plain.error.unproved",
        403 => "plain.error.forbidden",
        404 => "plain.error.not-found",
        405 => "plain.error.method",
        408 => "plain.error.late",
        409 => "plain.error.conflict",
        410 => "plain.error.gone",
        413 => "plain.error.large",
        414 => "plain.error.long",
        429 => "plain.error.many",
        503 | 507 => "plain.error.busy",
        400..=499 => "plain.error.unreadable",
        _ => "plain.error.failed",
    }
}
