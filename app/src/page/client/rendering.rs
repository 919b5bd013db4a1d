//! When signals reach the screen: sets them only if they change, and waits for the next render.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

/// Resolves after the next render.
pub(crate) async fn next_render() {
    TimeoutFuture::new(0).await;
}

/// Sets a signal only if the value differs, so that its subscribers do not run otherwise.
pub(crate) fn set_if_changed<T: PartialEq + 'static>(
    signal: &(impl WithUntracked<Value = T> + Set<Value = T>),
    value: T,
) {
    if signal.with_untracked(|known| *known != value) {
        signal.set(value);
    }
}
