//! Back-pressure: when the writer's queue is full, the next request gets 503 at once.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use cluster_overview::auth::AuthPolicy;
use cluster_overview::auth::secret::SecretHash;
use cluster_overview::{Options, Site};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::harness::{TOKEN, folder, heartbeat};

/// The capacity of the writer's queue.
const WAITING: usize = 1_024;

/// The response to one heartbeat: status, `Retry-After` and body.
async fn beat(router: Router, server: String) -> (u16, Option<String>, Value) {
    let request = Request::post("/api/v1/heartbeats")
        .header("host", "localhost")
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/json")
        .body(Body::from(heartbeat(&server, "service", 1).to_string()))
        .unwrap();
    let answer = router.oneshot(request).await.unwrap();
    let retry = answer.headers().get("retry-after");
    let retry = retry.map(|seconds| seconds.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, retry, serde_json::from_slice(&body).unwrap())
}

/// On one thread tasks run in the order of their start: the writer, which the first request wakes,
/// runs after the last request has arrived. There is no listener, because a thousand requests at once
/// need twice as many open files, which is more than many shells allow.
#[tokio::test]
async fn when_the_queue_is_full_one_more_request_gets_503_at_once_and_the_queued_ones_succeed() {
    let folder = folder();
    let options = Options {
        join_token: Some(SecretHash::new(TOKEN)),
        ..Options::new(
            format!("sqlite:{}", folder.join("overview.db").display()),
            AuthPolicy::open(),
        )
    };
    let site: Arc<Site> = Site::open(options).await.unwrap();
    let router = cluster_overview::router(site);
    let asked: Vec<_> = (0..WAITING + 3)
        .map(|number| tokio::spawn(beat(router.clone(), format!("server-{number}"))))
        .collect();
    let mut answers = Vec::new();
    for asked in asked {
        answers.push(asked.await.unwrap());
    }
    let (taken, refused) = answers.split_at(WAITING);
    for (status, _, body) in taken {
        assert_eq!((*status, &body["applied"]), (200, &Value::Bool(true)), "{body}");
    }
    for (status, retry, body) in refused {
        assert_eq!((*status, retry.as_deref()), (503, Some("1")), "{body}");
        assert_eq!(body["detail"], "too many heartbeats are waiting to be written");
    }
    assert_eq!(beat(router.clone(), format!("server-{WAITING}")).await.0, 200, "it came back");
    let overview = Request::get("/api/v1/overview").header("host", "localhost");
    let answer = router.oneshot(overview.body(Body::empty()).unwrap()).await.unwrap();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let picture: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(picture["counts"]["servers"], WAITING + 1, "nothing of the refused was stored");
}
