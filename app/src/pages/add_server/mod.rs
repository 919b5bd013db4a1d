//! The page *Add server*: a join token, the commands for a server, and the servers that have reported since. For admins.

pub mod commands;
pub mod new_servers;

use leptos::prelude::*;

use self::commands::{Method, Step, steps};
use crate::cluster::hints::Arg;
use crate::cluster::{FieldError, Timestamp};
use crate::i18n::MessageKey;
use crate::page::route::query::to_query;
use crate::pages::layout::{
    Document, DocumentContext, copyable, document, error_list, hidden_inputs, invalid, page_header,
    time,
};

#[derive(Clone, Debug)]
pub struct AddServerPage {
    pub context: DocumentContext,
    pub method: Method,
    /// The address of this overview as the browser uses it, without a slash at its end.
    pub overview: String,
    /// Why other servers cannot reach it, if that is known.
    pub unreachable: Option<Unreachable>,
    /// Whether heartbeats with a join token are rejected.
    pub requires_enrolment: bool,
    /// A guest of a product may not.
    pub can_create: bool,
    /// Random, a new one for each page: the same form again creates nothing.
    pub nonce: String,
    /// Servers that reported first since then are new.
    pub since: Timestamp,
    /// A token that was created by this request.
    pub new_token: Option<JoinToken>,
    /// The name of a token in a rejected form.
    pub token_name: Option<String>,
    pub errors: Vec<FieldError>,
}

/// Why other servers cannot reach the overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// It listens on this loopback address, and no proxy is trusted.
    Listener {
        address: String,
        port: u16,
        /// Whether nobody signs in, which no other address allows.
        open: bool,
    },
    /// The page was opened at a loopback address.
    Address,
}

/// A new join token. It is shown only once.
#[derive(Clone)]
pub struct JoinToken {
    pub secret: String,
    pub expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

pub fn render(page: AddServerPage) -> Document {
    let context = &page.context;
    let title = MessageKey::PagesAddServer;
    let body = view! {
        {page_header(context, title)}
        <main class="wide-page add-server">
            <h1>{context.text(title)}</h1>
            <p class="muted">{context.text(MessageKey::PagesAddServerLead)}</p>
            {unreachable_section(&page)}
            {token_section(&page)}
            {commands_section(&page)}
            {new_servers_section(&page)}
        </main>
    };
    document(context, context.text(title), body)
}

fn unreachable_section(page: &AddServerPage) -> Option<impl IntoView + use<>> {
    let context = &page.context;
    let texts: Vec<String> = match page.unreachable.as_ref()? {
        Unreachable::Listener { address, port, open } => {
            let args =
                [("address", Arg::Text(address.clone())), ("port", Arg::Text(port.to_string()))];
            let open =
                open.then(|| context.text(MessageKey::PagesAddServerLoopbackNoSignIn).to_owned());
            let steps = context.catalog.format_all(MessageKey::PagesAddServerLoopback, &args);
            steps.into_iter().chain(open).collect()
        }
        Unreachable::Address => {
            let address = [("address", Arg::Text(page.overview.clone()))];
            vec![context.catalog.format(MessageKey::PagesAddServerLoopbackName, &address)]
        }
    };
    let texts: Vec<_> = texts.into_iter().map(|text| view! { <p>{text}</p> }).collect();
    Some(view! { <section class="warning-note">{texts}</section> })
}

fn token_section(page: &AddServerPage) -> impl IntoView + use<> {
    let context = &page.context;
    let body = match &page.new_token {
        Some(token) => view! {
            <p role="status">
                {context.text(MessageKey::PagesAddServerTokenCreated)} " "
                {time(token.expires_at, "")} "."
            </p>
            {copyable(context, "secret".to_owned(), token.secret.clone())}
        }
        .into_any(),
        None if page.can_create => token_form(page).into_any(),
        None => view! { <p class="muted">{context.text(MessageKey::PagesForbiddenGuest)}</p> }
            .into_any(),
    };
    let class = if page.new_token.is_some() { "new-token" } else { "" };
    view! {
        <section class=class aria-labelledby="token">
            <h2 id="token">{context.text(MessageKey::PagesAddServerToken)}</h2>
            {body}
        </section>
    }
}

fn token_form(page: &AddServerPage) -> impl IntoView + use<> {
    let context = &page.context;
    let errors =
        error_list(context, "errors", &page.errors, |_| MessageKey::PagesNewTokenErrorName);
    let name = page.token_name.clone();
    let name =
        name.unwrap_or_else(|| context.text(MessageKey::PagesAddServerTokenSuggestion).to_owned());
    let hidden = [("form", page.nonce.clone()), ("with", page.method.as_str().to_owned())];
    view! {
        <p class="muted">{context.text(MessageKey::PagesAddServerTokenLead)}</p>
        <form class="inline-form" method="post" action=context.address("add-server")>
            {hidden_inputs(&hidden)}
            <div class="field">
                <label for="name">{context.text(MessageKey::PagesAddServerTokenName)}</label>
                <input
                    type="text"
                    id="name"
                    name="name"
                    value=name
                    maxlength="100"
                    autocomplete="off"
                    aria-invalid=invalid(&page.errors, "name")
                    required
                />
            </div>
            <button class="primary">{context.text(MessageKey::PagesAddServerTokenCreate)}</button>
            {errors}
        </form>
    }
}

/// Links choose a method until there is a token. Then the others are folded below it: a link would lose the token.
fn commands_section(page: &AddServerPage) -> impl IntoView + use<> {
    let context = &page.context;
    let has_token = page.new_token.is_some();
    let tabs = (!has_token).then(|| method_links(page));
    let heading = context.text(page.method.label());
    let others = has_token.then(|| {
        let others = Method::ALL.into_iter().filter(|method| *method != page.method);
        let folded = |method: Method| {
            view! {
                <details>
                    <summary>{context.text(method.label())}</summary>
                    {method_commands(page, method)}
                </details>
            }
        };
        let others: Vec<_> = others.map(folded).collect();
        view! { <h3>{context.text(MessageKey::PagesAddServerOthers)}</h3> {others} }
    });
    view! {
        {tabs}
        <section class="commands" aria-labelledby="commands">
            <h2 id="commands">{heading}</h2>
            {method_commands(page, page.method)}
            {others}
        </section>
    }
}

fn method_links(page: &AddServerPage) -> impl IntoView + use<> {
    let context = &page.context;
    let link = |method: Method| {
        let mut pairs = context.appearance.pairs();
        pairs.push(("with", method.as_str().to_owned()));
        pairs.push(("since", page.since.0.to_string()));
        let address = format!("{}/add-server?{}", context.site.base, to_query(pairs));
        let current = method == page.method;
        view! {
            <a
                class="button"
                class:pressed=current
                aria-current=current.then_some("page")
                href=address
            >
                {context.text(method.label())}
            </a>
        }
    };
    let links: Vec<_> = Method::ALL.into_iter().map(link).collect();
    view! {
        <nav class="methods" aria-label=context.text(MessageKey::PagesAddServerMethods)>
            {links}
        </nav>
    }
}

fn method_commands(page: &AddServerPage, method: Method) -> impl IntoView + use<> {
    let context = &page.context;
    let certificate = (page.overview.starts_with("https:") && !method.sends_join_token())
        .then(|| context.text(MessageKey::PagesAddServerCertificate));
    let sends_join_token = (method.sends_join_token() && !page.requires_enrolment)
        .then(|| context.text(MessageKey::PagesAddServerSendsJoinToken));
    let own_credential = (page.requires_enrolment && method.sends_join_token()).then(|| {
        let path = [("path", Arg::Text("POST /api/v1/enrolments".to_owned()))];
        context.catalog.format(MessageKey::PagesAddServerOwnCredential, &path)
    });
    let token = page.new_token.as_ref().map(|token| token.secret.as_str());
    let step = |Step { name, purpose, command }: Step| {
        let id = format!("{}-{name}", method.as_str());
        view! {
            <p>{context.text(purpose)}</p>
            {copyable(context, id, command)}
        }
    };
    let steps: Vec<_> = steps(method, &page.overview, token).into_iter().map(step).collect();
    view! {
        <p class="muted">{context.text(method.lead())}</p>
        {sends_join_token.map(|text| view! { <p class="muted">{text}</p> })}
        {certificate.map(|text| view! { <p class="muted">{text}</p> })}
        {own_credential.map(|text| view! { <p class="error-text">{text}</p> })}
        {steps}
    }
}

/// The servers that reported since are in a document of their own, which reloads itself.
fn new_servers_section(page: &AddServerPage) -> impl IntoView + use<> {
    let context = &page.context;
    let mut pairs = context.appearance.pairs();
    pairs.push(("since", page.since.0.to_string()));
    let address = format!("{}/add-server/new-servers?{}", context.site.base, to_query(pairs));
    let title = context.text(MessageKey::PagesAddServerNew);
    view! {
        <section aria-labelledby="new-servers">
            <h2 id="new-servers">{title}</h2>
            <iframe id="arrivals" title=title src=address></iframe>
        </section>
    }
}
