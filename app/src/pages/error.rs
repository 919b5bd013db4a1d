//! What a browser shows where a program would read a problem: what went wrong, what to do, and the way on.

use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::pages::layout::{Document, DocumentContext, layout, sentence};

#[derive(Clone, Debug)]
pub struct ErrorPage {
    /// Where it lives, and how it appears.
    pub context: DocumentContext,
    /// The status of the answer.
    pub status: u16,
    /// The key of the heading, where it is not that of the status.
    pub title: Option<&'static str>,
    /// What was wrong and what to do, in the reader's language.
    pub sentences: Vec<String>,
    /// The same as programs read it, where it is in no other language.
    pub untranslated: Option<String>,
    /// The line of a configuration that a sentence ends with.
    pub line: Option<String>,
    /// After how many seconds to try again.
    pub retry_after_s: Option<u32>,
    /// Where to go from here.
    pub next: NextLink,
}

/// Where a reader goes from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextLink {
    /// To the page of the overview.
    Overview,
    /// To the sign-in page.
    SignIn,
    /// To the page again, once it is known who asks; and to the product, where its address is known.
    TryAgain,
}

pub fn document_of(page: ErrorPage) -> Document {
    let ErrorPage { context, status, title, sentences, untranslated, line, retry_after_s, next } =
        page;
    let title = context.label(title.unwrap_or_else(|| title_of(status)));
    let line = line.as_deref();
    let said: Vec<_> = sentences.iter().map(|said| paragraph(said, line)).collect();
    let untranslated = untranslated.map(|said| view! { <p lang="en">{sentence(&said)}</p> });
    let wait = retry_after_s.map(|seconds| {
        let seconds = Arg::Number(usize::try_from(seconds).unwrap_or(usize::MAX));
        view! { <p>{context.words.say("plain.error.wait", &[("seconds", seconds)])}</p> }
    });
    let body = view! {
        <main class="door error">
            <h1>{title}</h1>
            {said}
            {untranslated}
            {wait}
            {links(&context, next)}
            <p class="muted">{context.label("plain.error.status")} " " {status}</p>
        </main>
    };
    // A product around the page may let in people who are not.
    let signed_out = matches!(status, 401 | 410);
    layout(&context, title, body, signed_out)
}

/// A sentence; the line that it ends with stands alone, to be copied.
fn paragraph(said: &str, line: Option<&str>) -> AnyView {
    match line.and_then(|line| Some((said.strip_suffix(line)?.to_owned(), line.to_owned()))) {
        Some((before, line)) => view! {
            <p>{before}</p>
            <pre tabindex="0">{line}</pre>
        }
        .into_any(),
        None => view! { <p>{sentence(said)}</p> }.into_any(),
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

/// The key of the heading.
fn title_of(status: u16) -> &'static str {
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
