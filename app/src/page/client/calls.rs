//! How does the page call a server function and read its answer?
//!
//! `server_fn` has a client too, for every method, encoding and stream there is; this one knows `fetch`.

use js_sys::{JSON, Reflect};
use leptos::prelude::window;
use leptos::server_fn::ServerFn;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, RequestInit, Response};

use crate::packed::{Unreadable, unpack};
use crate::protocol::{CallError, FOREIGN, OUTDATED, UNREACHABLE};

/// Ends a request that nobody waits for any more.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Calls a server function of the site with this base path. Its arguments travel as JSON, its answer is packed.
pub(super) async fn call<F>(base: String, function: F) -> Result<F::Output, CallError>
where
    F: ServerFn<Error = CallError> + Serialize,
    F::Output: DeserializeOwned,
{
    let body = serde_json::to_string(&function).map_err(|_| CallError::from(FOREIGN))?;
    let answer = post(base + F::PATH, body).await?;
    unpack(&answer).map_err(|unreadable| match unreadable {
        Unreadable::OtherFormat => OUTDATED.into(),
        Unreadable::Foreign => FOREIGN.into(),
    })
}

/// Posts JSON and returns the body of the answer. An answer with an error status is the [`CallError`] in its body.
async fn post(address: String, body: String) -> Result<String, CallError> {
    let (answer, _abort) = send(&address, &body).map_err(|_| CallError::from(UNREACHABLE))?;
    let response: Response =
        answer.await.map_err(|_| CallError::from(UNREACHABLE))?.unchecked_into();
    let text = response.text().map_err(|_| CallError::from(FOREIGN))?;
    let text = JsFuture::from(text).await.map_err(|_| CallError::from(FOREIGN))?;
    let text = text.as_string().unwrap_or_default();
    if response.status() >= 400 {
        return Err(read_error(&text).unwrap_or_else(|| FOREIGN.into()));
    }
    Ok(text)
}

/// Reads an error from JSON: a problem document, or a [`CallError`].
fn read_error(text: &str) -> Option<CallError> {
    let error = JSON::parse(text).ok().filter(JsValue::is_object)?;
    let field = |name: &str| {
        let value = Reflect::get(&error, &name.into()).ok();
        value.and_then(|value| value.as_string()).unwrap_or_default()
    };
    Some(CallError { reason: field("reason"), detail: field("detail") })
}

fn send(address: &str, body: &str) -> Result<(JsFuture, AbortOnDrop), JsValue> {
    let abort = AbortOnDrop(AbortController::new()?);
    let headers = Headers::new()?;
    headers.set("Content-Type", "application/json")?;
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_headers(&headers);
    request.set_body(&body.into());
    request.set_signal(Some(&abort.0.signal()));
    Ok((window().fetch_with_str_and_init(address, &request).into(), abort))
}
