//! Everything that the page shows, as plain values: a pure function of the snapshot, the time and the route.

use crate::cluster::hints::Arg;
use crate::cluster::{Overview, Snapshot, Timestamp};
use crate::i18n::{Catalog, MessageKey};
use crate::page::banner::model::{Banner, banner};
use crate::page::hints::model::{
    HintCard, cut_off, hint_cards, keys_not_checked, last_known_cards,
};
use crate::page::panel::model::{Panel, panel};
use crate::page::route::Route;
use crate::page::route::query::to_query;
use crate::page::servers::list::{Extent, Listed, Toolbar, list_servers};
use crate::page::servers::listing::Listing;
use crate::page::servers::map::model::Map;
use crate::page::settings::model::{Form, SummaryItem, form, summary};
use crate::page::view_context::ViewContext;

#[derive(Clone, Debug)]
pub(crate) struct PageModel {
    pub(crate) banner: Banner,
    pub(crate) summary: Vec<SummaryItem>,
    /// `Some` while the form is open.
    pub(crate) form: Option<Form>,
    pub(crate) toolbar: Toolbar,
    pub(crate) map: Map,
    pub(crate) hints: Vec<HintCard>,
    pub(crate) panel: Option<Panel>,
    /// Sort order, filter and search as a query: every link on the page keeps them.
    pub(crate) list: String,
}

impl PageModel {
    /// What this route shows at `now`, and the servers of its list. `overview` and `known`, its [`Snapshot::last_known`], are
    /// the snapshot's own. Their rows are built from that where they are shown.
    pub(crate) fn new(
        snapshot: &Snapshot,
        overview: &Overview,
        known: Option<&(Snapshot, Overview)>,
        now: Timestamp,
        route: &Route,
        extent: Extent,
        catalog: &'static Catalog,
    ) -> (Self, Listing) {
        let hints = snapshot.hints(overview);
        let last_known = known.map(|(_, overview)| overview);
        let context = ViewContext { snapshot, overview, last_known, now, route, catalog };
        let Listed { toolbar, found, rows } = list_servers(&context, extent);
        let mut cards = hint_cards(&hints, &rows.order, &context);
        cards.extend(keys_not_checked(&context));
        if let Some((snapshot, overview)) = known {
            let context = ViewContext { snapshot, overview, last_known: None, now, route, catalog };
            cards.extend(last_known_cards(&rows.order, &context));
        }
        let model = Self {
            banner: banner(&context, &hints),
            summary: summary(&context),
            form: form(&context),
            hints: cards,
            panel: panel(&context, &hints),
            toolbar,
            map: Map::new(overview, &found),
            list: to_query(route.persistent_params()),
        };
        let said_once = model.toolbar.said_once;
        (model, Listing::new(overview, rows, said_once))
    }

    /// The model of a page that has had no update since `since`. Nothing is known about the overview's database
    /// then. `error_detail` is the overview's reason if it rejects this page's requests.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser is cut off"))]
    pub(crate) fn cut_off(
        mut self,
        since: Timestamp,
        error_detail: &str,
        catalog: &Catalog,
    ) -> Self {
        self.banner.headline =
            catalog.format(MessageKey::CutOffHeadline, &[("since", Arg::Moment(since))]);
        self.hints = vec![cut_off(since, error_detail, catalog)];
        self
    }
}
