//! What a reader sees of a snapshot: in any order, after a change, and until the next turn.

use std::sync::Arc;

use cluster_overview_app::cluster::{
    Change, Component, HeartbeatUpdate, Hint, Overview, Snapshot, Span, Timestamp,
};
use proptest::prelude::*;

use crate::common::ms;
use crate::random::{cluster, config};

/// Everything that a reader sees at `now`, except `as_of`.
fn visible_state(snapshot: &Snapshot, now: Timestamp) -> (Overview, Vec<Hint>) {
    let overview = snapshot.overview(now);
    let hints = snapshot.hints(&overview);
    (Overview { as_of: Timestamp::default(), ..overview }, hints)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_verdict_depends_on_the_order_in_which_components_were_added(
        shuffled in cluster().prop_flat_map(|cluster| {
            let order: Vec<Arc<Component>> = cluster.components.values().cloned().collect();
            (Just(cluster), Just(order).prop_shuffle())
        }),
        now in 0_i64..900_000,
    ) {
        let (cluster, order) = shuffled;
        let mut other = Snapshot { components: std::collections::BTreeMap::new(), ..cluster.clone() };
        for component in order {
            other.insert(component);
        }
        prop_assert_eq!(visible_state(&other, ms(now)), visible_state(&cluster, ms(now)));
    }

    #[test]
    fn applying_a_change_once_or_twice_gives_the_full_snapshot(
        before in cluster(),
        after in cluster(),
        beats in prop::collection::vec(1_i64..100_000, 8),
    ) {
        let mut after = after;
        // Half of the components exist before and after, and only sent a heartbeat.
        for (component, later) in before.components.values().zip(&beats).step_by(2) {
            let mut next = Component::clone(component);
            next.boots.current.sequence += later;
            next.last_heartbeat = next.last_heartbeat + Span(*later);
            after.insert(Arc::new(next));
        }
        let mut change = Change { components: Vec::new(), ..Change::whole(&after) };
        change.whole = false;
        change.removed = before
            .components
            .keys()
            .filter(|key| !after.components.contains_key(key))
            .cloned()
            .collect();
        for (key, component) in &after.components {
            match before.components.get(key) {
                Some(known) if HeartbeatUpdate::is_only_difference(known, component) => {
                    change.heartbeats.push(HeartbeatUpdate::from_component(component));
                }
                _ => change.components.push(Arc::clone(component)),
            }
        }
        let mut reader = before;
        reader.apply(change.clone());
        prop_assert_eq!(&reader, &after);
        reader.apply(change);
        prop_assert_eq!(&reader, &after);
    }

    #[test]
    fn nothing_visible_changes_between_two_turns(
        cluster in cluster(),
        from in 0_i64..900_000,
    ) {
        let mut now = ms(from);
        // At each of the next turns, as-of changes.
        for _ in 0..4 {
            let Some(turn) = cluster.next_turn(now) else { break };
            prop_assert!(turn > now);
            let last = turn - Span::TICK;
            prop_assert_eq!(visible_state(&cluster, now), visible_state(&cluster, last));
            prop_assert_eq!(cluster.as_of(now), cluster.as_of(last));
            prop_assert_eq!(cluster.as_of(turn), turn.max(cluster.changed_at));
            now = turn;
        }
        if cluster.next_turn(now).is_none() {
            let late = now + Span::minutes(100_000);
            prop_assert_eq!(visible_state(&cluster, now), visible_state(&cluster, late));
        }
    }
}
