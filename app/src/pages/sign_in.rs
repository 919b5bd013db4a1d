//! The sign-in page: name and password; for the first admin also the set-up code. A plain form that needs no
//! scripts.

use leptos::prelude::*;

use crate::i18n::MessageKey;
use crate::pages::layout::{Document, DocumentContext, alert};

#[derive(Clone, Debug)]
pub struct SignInForm {
    pub context: DocumentContext,
    pub name: String,
    /// The query of the page to show after signing in.
    pub then: String,
    /// Why the last attempt failed.
    pub error: Option<String>,
    pub set_up: SetUp,
}

/// What has to be set up before anybody can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUp {
    Nothing,
    /// The first admin, with the set-up code that `serve` printed.
    FirstAdmin,
    /// The same, but the set-up code has expired.
    FirstAdminAfterExpiry,
}

pub fn render(form: SignInForm) -> Document {
    let (title, button) = match form.set_up {
        SetUp::Nothing => (MessageKey::PagesSignIn, MessageKey::PagesSignIn),
        SetUp::FirstAdmin | SetUp::FirstAdminAfterExpiry => {
            (MessageKey::PagesSetUp, MessageKey::PagesSetUpButton)
        }
    };
    let context = form.context;
    let title = context.text(title);
    let is_first_admin = form.set_up != SetUp::Nothing;
    let action = context.address("sign-in");
    let error = alert(form.error);
    let autocomplete = if is_first_admin { "new-password" } else { "current-password" };
    let body = view! {
        <main class="narrow-page">
            <h1>{title}</h1>
            {lead(&context, form.set_up)}
            {error}
            <form method="post" action=action>
                <input type="hidden" name="then" value=form.then />
                <label for="name">{context.text(MessageKey::PagesName)}</label>
                <input
                    type="text"
                    id="name"
                    name="name"
                    value=form.name
                    autocomplete="username"
                    autocapitalize="none"
                    spellcheck="false"
                    maxlength="100"
                    required
                    autofocus=!context.appearance.hide_chrome
                />
                <label for="password">{context.text(MessageKey::PagesPassword)}</label>
                <input
                    type="password"
                    id="password"
                    name="password"
                    autocomplete=autocomplete
                    aria-describedby=is_first_admin.then_some("password-help")
                    maxlength="1024"
                    required
                />
                {is_first_admin
                    .then(|| {
                        view! {
                            <p class="muted help" id="password-help">
                                {context.text(MessageKey::PagesPasswordHelp)}
                            </p>
                            <label for="code">{context.text(MessageKey::PagesSetUpCode)}</label>
                            <input
                                type="text"
                                id="code"
                                name="code"
                                autocomplete="off"
                                autocapitalize="none"
                                spellcheck="false"
                            />
                        }
                    })}
                <button class="primary">{context.text(button)}</button>
            </form>
        </main>
    };
    crate::pages::layout::signed_out_page(&context, title, body)
}

fn lead(context: &DocumentContext, set_up: SetUp) -> impl IntoView + use<> {
    let key = match set_up {
        SetUp::Nothing => MessageKey::PagesSignInLead,
        SetUp::FirstAdmin => MessageKey::PagesSetUpLead,
        SetUp::FirstAdminAfterExpiry => MessageKey::PagesSetUpExpired,
    };
    view! { <p class="muted">{context.text(key)}</p> }
}
