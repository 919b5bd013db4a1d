//! What is kept of a channel: what it was told, the message on its way, and its pause.

use app::cluster::news::{News, Told};
use app::cluster::{HintId, Incident, IncidentChange, ServerName, Severity, Timestamp};
use cluster_overview::store::{
    ChannelCondition, ChannelState, Delivery, DeliveryOutcome, Pause, ToldChannel,
};

use super::*;

fn silence(server: &str, began: Timestamp) -> Incident {
    let server = ServerName::parse(server).unwrap();
    let (hint, role) = (HintId::ServiceStale, Some(Role::Service));
    Incident::begin(hint, Severity::Error, Some(server), role, began)
}

async fn write(store: &Arc<Store>, incidents: &[&Incident]) {
    store.load().await.unwrap();
    let change =
        |incident: &&Incident| IncidentChange { incident: (*incident).clone(), hint: None };
    let changes = incidents.iter().map(change).collect();
    store.write_incidents(changes).await.unwrap().unwrap();
}

fn message(id: &str, news: &[(&Incident, News)], at: Timestamp) -> Delivery {
    Delivery {
        id: id.to_owned(),
        channel: "ops".to_owned(),
        news: news.iter().map(|(incident, what)| (incident.id.clone(), *what)).collect(),
        begun: at,
        tries: 0,
        next_try: Some(at),
        ended: None,
        outcome: DeliveryOutcome::Pending,
        answer: None,
    }
}

fn told_after(state: &ChannelState, news: &[(&Incident, News)], at: Timestamp) -> Told {
    let mut told = state.told.clone();
    told.note(news, at);
    told
}

#[tokio::test]
async fn a_message_is_there_after_a_restart_with_what_the_channel_was_told() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let now = store.now();
        let incident = silence("web-1", now - Span::minutes(5));
        write(&store, &[&incident]).await;
        let state = store.channel("ops").await.unwrap();
        assert_eq!((state.pending.as_ref(), state.told.incidents.len()), (None, 0));
        assert_eq!(state.incidents, [Arc::new(incident.clone())]);
        let news = [(&incident, News::Begun)];
        let first = message("msg_1", &news, now);
        let told = told_after(&state, &news, now);
        assert!(store.begin_delivery(&state, &first, &told).await.unwrap());
        drop(store);
        let store = Store::open(&database.address()).await.unwrap();
        let state = store.channel("ops").await.unwrap();
        assert_eq!(state.told, told);
        assert_eq!(state.pending.as_ref(), Some(&first));
        let later = now + Span::seconds(5);
        let failed = Delivery {
            tries: 1,
            next_try: Some(later),
            answer: Some("answered 500".to_owned()),
            ..first.clone()
        };
        let failing = Some((now, "answered 500".to_owned()));
        store.note_try(&failed, failing.clone(), &[]).await.unwrap();
        let state = store.channel("ops").await.unwrap();
        assert_eq!((state.pending.as_ref(), &state.failing), (Some(&failed), &failing));
        let delivered = Delivery {
            tries: 2,
            next_try: None,
            ended: Some(later),
            outcome: DeliveryOutcome::Delivered,
            answer: Some("200 OK".to_owned()),
            ..first
        };
        store.note_try(&delivered, None, &[]).await.unwrap();
        let state = store.channel("ops").await.unwrap();
        assert_eq!((state.pending, state.failing), (None, None));
        assert_eq!(store.deliveries("ops", None, 10).await.unwrap(), [delivered]);
        assert_eq!(store.deliveries("ops", Some(now), 10).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_later_message_takes_the_place_of_one_that_has_not_arrived() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let now = store.now();
        let [one, other] = ["web-1", "web-2"].map(|server| silence(server, now));
        write(&store, &[&one, &other]).await;
        let before = store.channel("ops").await.unwrap();
        let news = [(&one, News::Begun)];
        let told = told_after(&before, &news, now);
        let first = message("msg_1", &news, now);
        assert!(store.begin_delivery(&before, &first, &told).await.unwrap());
        let again = message("msg_2", &news, now);
        let begun = store.begin_delivery(&before, &again, &told).await.unwrap();
        assert!(!begun, "another web server did not see the first one");
        let state = store.channel("ops").await.unwrap();
        let (both, later) = ([(&one, News::Begun), (&other, News::Begun)], now + Span(1));
        let second = message("msg_3", &both, later);
        let told = told_after(&state, &both, later);
        assert!(store.begin_delivery(&state, &second, &told).await.unwrap());
        assert_eq!(store.channel("ops").await.unwrap().pending, Some(second.clone()));
        let log = store.deliveries("ops", None, 10).await.unwrap();
        let outcomes: Vec<(&str, DeliveryOutcome)> =
            log.iter().map(|delivery| (&*delivery.id, delivery.outcome)).collect();
        let expected = [("msg_3", DeliveryOutcome::Pending), ("msg_1", DeliveryOutcome::Merged)];
        assert_eq!(outcomes, expected);
        store.note_try(&Delivery { tries: 9, ..first }, None, &[]).await.unwrap();
        let log = store.deliveries("ops", None, 10).await.unwrap();
        assert_eq!(log[1].tries, 0, "a try that ends too late changes nothing");
    }
}

#[tokio::test]
async fn the_end_of_what_was_told_is_not_forgotten_during_a_long_pause() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let now = store.now();
        let incident = silence("web-1", now - Span::minutes(90));
        write(&store, &[&incident]).await;
        let state = store.channel("ops").await.unwrap();
        let news = [(&incident, News::Begun)];
        let told = told_after(&state, &news, now);
        assert!(store.begin_delivery(&state, &message("msg_1", &news, now), &told).await.unwrap());
        let pause = Pause {
            until: now + Span::minutes(60),
            by: "ann".to_owned(),
            reason: "maintenance".to_owned(),
        };
        store.pause_channel("ops", Some(pause.clone()), Some(&entry())).await.unwrap();
        let ended = Incident { ended: Some(now - Span::minutes(40)), ..incident.clone() };
        write(&store, &[&ended]).await;
        let state = store.channel("ops").await.unwrap();
        assert_eq!(state.pause, Some(pause));
        assert_eq!(state.incidents, [Arc::new(ended.clone())]);
        store.pause_channel("ops", None, Some(&entry())).await.unwrap();
        let state = store.channel("ops").await.unwrap();
        assert_eq!(state.pause, None);
        assert!(state.resumed.is_some(), "what waited has not been tried for so long");
        let news = [(&ended, News::Ended)];
        let told = told_after(&state, &news, now);
        assert!(store.begin_delivery(&state, &message("msg_2", &news, now), &told).await.unwrap());
        assert_eq!(store.channel("ops").await.unwrap().incidents, []);
    }
}

#[tokio::test]
async fn a_test_that_is_accepted_ends_the_failure_and_what_waits_is_tried_at_once() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let now = store.now();
        let incident = silence("web-1", now - Span::minutes(5));
        write(&store, &[&incident]).await;
        let state = store.channel("ops").await.unwrap();
        let news = [(&incident, News::Begun)];
        let first = message("msg_1", &news, now);
        let told = told_after(&state, &news, now);
        assert!(store.begin_delivery(&state, &first, &told).await.unwrap());
        let failed = Delivery { tries: 9, next_try: Some(now + Span::minutes(60)), ..first };
        let failing = Some((now, "answered 500".to_owned()));
        store.note_try(&failed, failing.clone(), &[]).await.unwrap();
        let known = store.channel_conditions().await.unwrap();
        assert_eq!((&*known[0].name, &known[0].failing), ("ops", &failing));
        let test = |outcome, id| Delivery {
            news: Vec::new(),
            next_try: None,
            ended: Some(now),
            outcome,
            ..message(id, &[], now)
        };
        store.log_delivery(&test(DeliveryOutcome::GivenUp, "msg_2")).await.unwrap();
        let state = store.channel("ops").await.unwrap();
        assert_eq!((&state.failing, &state.pending), (&failing, &Some(failed)));
        store.log_delivery(&test(DeliveryOutcome::Delivered, "msg_3")).await.unwrap();
        let state = store.channel("ops").await.unwrap();
        assert_eq!(state.failing, failing, "until what waits has arrived");
        let pending = state.pending.unwrap();
        assert!(pending.next_try.unwrap() <= store.now());
        let (outcome, ended) = (DeliveryOutcome::GivenUp, Some(now));
        let given_up = Delivery { next_try: None, outcome, ended, ..pending };
        store.note_try(&given_up, failing, &[]).await.unwrap();
        store.log_delivery(&test(DeliveryOutcome::Delivered, "msg_4")).await.unwrap();
        assert_eq!(store.channel("ops").await.unwrap().failing, None);
        assert_eq!(store.channel_conditions().await.unwrap()[0].failing, None);
    }
}

#[tokio::test]
async fn a_channel_that_was_told_late_of_an_end_is_not_told_again() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let now = store.now();
        let [over, open] = ["web-1", "web-2"].map(|server| silence(server, now));
        write(&store, &[&over, &open]).await;
        let state = store.channel("ops").await.unwrap();
        let news = [(&over, News::Begun), (&open, News::Begun)];
        let first = message("msg_1", &news, now);
        let told = told_after(&state, &news, now);
        assert!(store.begin_delivery(&state, &first, &told).await.unwrap());
        let delivered = Delivery {
            next_try: None,
            ended: Some(now),
            outcome: DeliveryOutcome::Delivered,
            ..first
        };
        store.note_try(&delivered, None, std::slice::from_ref(&over.id)).await.unwrap();
        let told = store.channel("ops").await.unwrap().told.incidents;
        assert_eq!((told[&over.id].ended, told[&open.id].ended), (true, false));
    }
}

#[tokio::test]
async fn people_read_how_a_channel_is_and_whether_what_it_was_told_has_arrived() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let now = store.now();
        let [one, other] = ["web-1", "web-2"].map(|server| silence(server, now));
        write(&store, &[&one, &other]).await;
        let state = store.channel("ops").await.unwrap();
        let unused = ChannelCondition {
            name: "ops".to_owned(),
            pause: None,
            failing: None,
            last_delivered: None,
        };
        let known = store.channel_conditions().await.unwrap();
        assert_eq!(known, std::slice::from_ref(&unused));
        assert_eq!(store.channels_told(&one.id).await.unwrap(), []);
        assert_eq!(store.last_test("ops").await.unwrap(), None);

        let news = [(&one, News::Begun)];
        let told = told_after(&state, &news, now);
        assert!(store.begin_delivery(&state, &message("msg_1", &news, now), &told).await.unwrap());
        let of_one = |outcome| ToldChannel {
            name: "ops".to_owned(),
            at: now,
            flapping: false,
            ended: false,
            outcome: Some(outcome),
        };
        let found = store.channels_told(&one.id).await.unwrap();
        assert_eq!(found, [of_one(DeliveryOutcome::Pending)]);

        let test = Delivery {
            next_try: None,
            ended: Some(now + Span(1)),
            outcome: DeliveryOutcome::GivenUp,
            ..message("msg_test", &[], now + Span(1))
        };
        store.log_delivery(&test).await.unwrap();
        assert_eq!(store.last_test("ops").await.unwrap(), Some(test));
        // The next message says what the first one said, and more.
        let (both, later) = ([(&other, News::Begun), (&one, News::Begun)], now + Span(2));
        let state = store.channel("ops").await.unwrap();
        let second = message("msg_2", &both, later);
        let told = told_after(&state, &both[..1], later);
        assert!(store.begin_delivery(&state, &second, &told).await.unwrap());
        let delivered = Delivery {
            next_try: None,
            ended: Some(later),
            outcome: DeliveryOutcome::Delivered,
            ..second
        };
        store.note_try(&delivered, None, &[]).await.unwrap();
        let found = store.channels_told(&one.id).await.unwrap();
        assert_eq!(found, [of_one(DeliveryOutcome::Delivered)]);
        let pause =
            Pause { until: now + Span::minutes(1), by: "ann".to_owned(), reason: String::new() };
        store.pause_channel("ops", Some(pause.clone()), Some(&entry())).await.unwrap();
        let known = store.channel_conditions().await.unwrap();
        let expected =
            ChannelCondition { pause: Some(pause), last_delivered: Some(later), ..unused };
        assert_eq!(known, [expected]);
    }
}
