//! Work that takes long for a large cluster does not run on the threads that answer requests, so other requests do not wait
//! for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use cluster_overview::auth::AuthPolicy;
use cluster_overview::auth::secret::SecretHash;
use cluster_overview::{Options, Site};
use serde_json::json;
use tower::ServiceExt as _;

use crate::harness::{TOKEN, folder, heartbeat};

/// 500 servers in each request.
const REQUESTS: usize = 6;
const AT_ONCE: usize = 500;

fn request(method: &str, path: &str, body: Body) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    request.header("content-type", "application/json").body(body).unwrap()
}

/// Sends a request. Returns how long the response took, and how long a task on the same thread had to wait at most.
async fn asked(router: &Router, path: &str) -> (Duration, Duration) {
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    let waiting = tokio::spawn(async move {
        let mut longest = Duration::ZERO;
        while !over.load(Ordering::Relaxed) {
            let since = Instant::now();
            tokio::task::yield_now().await;
            longest = longest.max(since.elapsed());
        }
        longest
    });
    tokio::task::yield_now().await;
    let since = Instant::now();
    let answer = router.clone().oneshot(request("GET", path, Body::empty())).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let took = since.elapsed();
    assert!(!body.is_empty());
    is_over.store(true, Ordering::Relaxed);
    (took, waiting.await.unwrap())
}

#[tokio::test]
async fn rendering_a_large_cluster_does_not_delay_other_requests() {
    let folder = folder();
    let options = Options {
        join_token: Some(SecretHash::new(TOKEN)),
        ..Options::new(
            format!("sqlite:{}", folder.join("overview.db").display()),
            AuthPolicy::open(),
        )
    };
    let router = cluster_overview::router(Site::open(options).await.unwrap());
    for first in 0..REQUESTS {
        let beats = (first * AT_ONCE..(first + 1) * AT_ONCE)
            .map(|number| heartbeat(&format!("server-{number}"), "service", 1));
        let beats = json!(beats.collect::<Vec<_>>());
        let beats = Body::from(beats.to_string());
        let mut beating = request("POST", "/api/v1/heartbeats", beats);
        beating.headers_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
        assert_eq!(router.clone().oneshot(beating).await.unwrap().status(), StatusCode::OK);
    }
    for path in ["/", "/api/v1/overview", "/metrics"] {
        let (took, waited) = asked(&router, path).await;
        println!("{path}: took {took:?}, held up others for {waited:?}");
        assert!(waited < took / 2, "{path} took {took:?} and held up others for {waited:?}");
    }
}
