//! The page in front of the page: name and password, and for the first admin the set-up code. A plain
//! form; it has no scripts but the theme's.

use leptos::prelude::*;

use crate::pages::layout::{Document, DocumentContext, sentence};

#[derive(Clone, Debug)]
pub struct SignInForm {
    /// Where it lives, and how it appears.
    pub context: DocumentContext,
    /// The name that was typed before.
    pub name: String,
    /// The query of the page that was wanted.
    pub then: String,
    /// Why the last trial led nowhere.
    pub wrong: Option<String>,
    /// What has to be made first.
    pub set_up: SetUp,
}

/// What has to be made before anybody can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUp {
    Nothing,
    /// The first admin, with the code that was printed.
    FirstAdmin,
    /// The same, and the code is over.
    FirstAdminAndCode,
}

pub fn document(form: SignInForm) -> Document {
    let (title, button) = match form.set_up {
        SetUp::Nothing => ("plain.sign-in", "plain.sign-in"),
        SetUp::FirstAdmin | SetUp::FirstAdminAndCode => ("plain.set-up", "plain.set-up.button"),
    };
    let context = form.context;
    let title = context.label(title);
    let first = form.set_up != SetUp::Nothing;
    let action = context.address("sign-in");
    let wrong = form.wrong.map(|wrong| {
        view! {
            <p class="wrong" id="wrong" role="alert">
                {sentence(&wrong)}
            </p>
        }
    });
    let password = if first { "new-password" } else { "current-password" };
    let body = view! {
        <main class="door">
            <h1>{title}</h1>
            {with_dialog(&context, form.set_up)}
            {wrong}
            <form method="post" action=action>
                <input type="hidden" name="then" value=form.then />
                <label for="name">{context.label("plain.name")}</label>
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
                <label for="password">{context.label("plain.password")}</label>
                <input
                    type="password"
                    id="password"
                    name="password"
                    autocomplete=password
                    aria-describedby=first.then_some("fit")
                    maxlength="1024"
                    required
                />
                {first
                    .then(|| {
                        view! {
                            <p class="muted hint" id="fit">
                                {context.label("plain.password.fit")}
                            </p>
                            <label for="code">{context.label("plain.code")}</label>
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
                <button class="primary">{context.label(button)}</button>
            </form>
        </main>
    };
    crate::pages::layout::signed_out_page(&context, title, body)
}

fn with_dialog(context: &DocumentContext, set_up: SetUp) -> impl IntoView + use<> {
    let key = match set_up {
        SetUp::Nothing => "plain.sign-in.lead",
        SetUp::FirstAdmin => "plain.set-up.lead",
        SetUp::FirstAdminAndCode => "plain.set-up.over",
    };
    view! { <p class="muted">{context.label(key)}</p> }
}
