//! The page on which an invited person chooses a password: first the code of the link, then the password. Plain forms;
//! a script only fills in the code.

use leptos::prelude::*;

use crate::i18n::MessageKey;
use crate::pages::layout::{Document, DocumentContext, alert, signed_out_page};

#[derive(Clone, Debug)]
pub struct InvitationPage {
    pub context: DocumentContext,
    /// Why the last attempt failed.
    pub error: Option<String>,
    pub step: Step,
}

#[derive(Clone)]
pub enum Step {
    /// The code is needed.
    Code,
    /// The code is valid: a password is needed.
    Password {
        /// The person's name.
        name: String,
        code: String,
        /// Whether the person had a password before.
        is_reset: bool,
    },
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code => f.write_str("Code"),
            Self::Password { name, .. } => {
                f.debug_struct("Password").field("name", name).finish_non_exhaustive()
            }
        }
    }
}

pub fn render(page: InvitationPage) -> Document {
    let InvitationPage { context, error, step } = page;
    let title = context.text(MessageKey::PagesInvitation);
    let (lead, form) = match step {
        Step::Code => (MessageKey::PagesInvitationLead, code_form(&context, error).into_any()),
        Step::Password { name, code, is_reset } => {
            let lead = if is_reset {
                MessageKey::PagesInvitationReset
            } else {
                MessageKey::PagesInvitationWelcome
            };
            (lead, password_form(&context, error, name, code).into_any())
        }
    };
    let body = view! {
        <main class="narrow-page">
            <h1>{title}</h1>
            <p class="muted">{context.text(lead)}</p>
            {form}
        </main>
    };
    signed_out_page(&context, title, body)
}

fn code_form(context: &DocumentContext, error: Option<String>) -> impl IntoView + use<> {
    let is_invalid = error.is_some();
    view! {
        {alert(error)}
        // `code.js` sends it once the code is filled in.
        <form method="post" action=context.address("invitation") data-send="filled">
            <label for="code">{context.text(MessageKey::PagesInvitationCode)}</label>
            <input
                type="text"
                id="code"
                name="code"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                maxlength="200"
                aria-invalid=is_invalid.then_some("true")
                aria-describedby=is_invalid.then_some("error")
                required
            />
            <button class="primary">{context.text(MessageKey::PagesInvitationContinue)}</button>
        </form>
    }
}

fn password_form(
    context: &DocumentContext,
    error: Option<String>,
    name: String,
    code: String,
) -> impl IntoView + use<> {
    let is_invalid = error.is_some();
    let help = if is_invalid { "error password-help" } else { "password-help" };
    view! {
        {alert(error)}
        <form method="post" action=context.address("invitation")>
            <input type="hidden" name="code" value=code />
            <label for="name">{context.text(MessageKey::PagesName)}</label>
            <input type="text" id="name" value=name autocomplete="username" readonly />
            <label for="password">{context.text(MessageKey::PagesInvitationNewPassword)}</label>
            <input
                type="password"
                id="password"
                name="password"
                autocomplete="new-password"
                aria-invalid=is_invalid.then_some("true")
                aria-describedby=help
                maxlength="1024"
                required
                autofocus=!context.appearance.hide_chrome
            />
            <p class="muted help" id="password-help">
                {context.text(MessageKey::PagesPasswordHelp)}
            </p>
            <button class="primary">{context.text(MessageKey::PagesInvitationAccept)}</button>
        </form>
    }
}
