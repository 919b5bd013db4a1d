//! What several components in trouble have in common, and no healthy one has.

use super::boot::Address;
use super::component::{Component, Os};
use super::time::{Span, Timestamp};

/// Processes that started within this span of each other started together.
const STARTED_TOGETHER: Span = Span::minutes(5);

/// Something that all components in trouble share, and none that is healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Factor {
    Address(Address),
    /// `10.0.1.0/24`, `2001:db8:0:1::/64`
    Network(String),
    Version(String),
    Os(Os),
    Product(String),
    /// The longest common beginning of their names that ends with `-` or `.`.
    NamePrefix(String),
    /// They started between these two moments.
    Started {
        first: Timestamp,
        last: Timestamp,
    },
}

/// What all components in trouble have and none of the healthy ones, strongest first: what a failure most often follows.
/// Nothing if nothing separates them, or if there are fewer than two of either: with one alone everything would.
///
/// Its cost grows as the number of components.
pub fn in_common<'a>(
    troubled: impl Iterator<Item = &'a Component> + Clone,
    healthy: impl Iterator<Item = &'a Component> + Clone,
) -> Vec<Factor> {
    let Some(first) = troubled.clone().next() else { return Vec::new() };
    if troubled.clone().nth(1).is_none() || healthy.clone().next().is_none() {
        return Vec::new();
    }
    let compare = Compare { first, troubled, healthy };
    let address = compare
        .shared(|one| Some(one.facts.ip.as_str()))
        .then(|| Factor::Address(first.facts.ip.clone()));
    // One address is in one network: it need not be named too.
    let place = address.or_else(|| {
        compare
            .shared(|one| network(&one.facts.ip))
            .then(|| network(&first.facts.ip).map(Factor::Network))
            .flatten()
    });
    let version = compare
        .shared(|one| Some(one.facts.version.as_str()))
        .then(|| Factor::Version(first.facts.version.clone()));
    let os = compare
        .shared(|one| Some((one.facts.os.name.as_str(), one.facts.os.version.as_str())))
        .then(|| Factor::Os(first.facts.os.clone()));
    let product = compare
        .shared(|one| one.facts.product.as_deref())
        .then(|| first.facts.product.clone().map(Factor::Product))
        .flatten();
    [place, version, os, product, compare.name_prefix(), compare.start()]
        .into_iter()
        .flatten()
        .collect()
}

struct Compare<'a, T, H> {
    first: &'a Component,
    troubled: T,
    healthy: H,
}

impl<'a, T, H> Compare<'a, T, H>
where
    T: Iterator<Item = &'a Component> + Clone,
    H: Iterator<Item = &'a Component> + Clone,
{
    /// Whether all in trouble have the same value, which no healthy one has.
    fn shared<V: PartialEq>(&self, value: impl Fn(&'a Component) -> Option<V>) -> bool {
        let Some(wanted) = value(self.first) else { return false };
        let has = |one: &'a Component| value(one).as_ref() == Some(&wanted);
        self.troubled.clone().all(has) && !self.healthy.clone().any(has)
    }

    fn name_prefix(&self) -> Option<Factor> {
        let prefix = common_name_prefix(self.troubled.clone())?;
        let has = |one: &Component| one.server.folded().starts_with(&prefix);
        (!self.healthy.clone().any(has)).then_some(Factor::NamePrefix(prefix))
    }

    fn start(&self) -> Option<Factor> {
        let starts = || self.troubled.clone().map(Component::started_at);
        let (first, last) = (starts().min()?, starts().max()?);
        let together = last - first <= STARTED_TOGETHER;
        let among = |one: &Component| (first..=last).contains(&one.started_at());
        (together && !self.healthy.clone().any(among)).then_some(Factor::Started { first, last })
    }
}

/// The longest common beginning of their servers' names that ends with `-` or `.`, in lower case.
pub fn common_name_prefix<'a>(
    mut components: impl Iterator<Item = &'a Component>,
) -> Option<String> {
    let first = components.next()?.server.folded();
    let common = components.fold(first.len(), |common, one| {
        let other = one.server.folded();
        common.min(first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count())
    });
    // Both are ASCII, so no character is cut.
    let end =
        first.as_bytes().get(..common)?.iter().rposition(|byte| matches!(byte, b'-' | b'.'))? + 1;
    first.get(..end).map(ToOwned::to_owned)
}

/// The /24 of an IPv4 address, the /64 of an IPv6 address, both in their canonical spelling.
///
/// Made of the spelling: a parser of addresses would be a part of the page.
pub fn network(address: &Address) -> Option<String> {
    let text = address.as_str();
    if !text.contains(':') {
        return text
            .rfind('.')
            .and_then(|end| text.get(..end))
            .map(|start| format!("{start}.0/24"));
    }
    if text.contains('.') {
        return None;
    }
    let (head, tail) = text.split_once("::").unwrap_or((text, ""));
    let count = |part: &str| part.split(':').filter(|group| !group.is_empty()).count();
    let zeros = 8_usize.checked_sub(count(head) + count(tail))?;
    let head = head.split(':').filter(|group| !group.is_empty());
    let tail = tail.split(':').filter(|group| !group.is_empty());
    let all = head.chain(std::iter::repeat_n("0", zeros)).chain(tail);
    let mut first: Vec<&str> = all.take(4).collect();
    while first.last() == Some(&"0") {
        first.pop();
    }
    Some(format!("{}::/64", first.join(":")))
}
