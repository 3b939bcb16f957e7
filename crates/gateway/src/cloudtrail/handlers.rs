//! One function for each operation. Each has the proof that it may.

use audit::trail::requests::{
    CreateTrailRequest, DescribeTrailsRequest, DescribeTrailsResponse, Empty, EventSelectorsResponse, GetTrailResponse,
    ListPublicKeysRequest, ListTagsRequest, PutEventSelectorsRequest, TagsRequest, TrailResponse, UpdateTrailRequest,
};
use audit::trail::{Error, LookupEventsRequest, LookupEventsResponse, Plan, Selectors, Trail};
use bytes::Bytes;
use keys::{AccountId, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::subject::{Subject, existing};
use super::{Call, Failure, service};
use crate::authorize::{Authorized, authorize};

type Answer = Result<Bytes, Failure>;
type Allowed = Authorized<Subject>;

/// DeleteTrail, GetTrail, GetTrailStatus, StartLogging, StopLogging, GetEventSelectors.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    #[serde(alias = "TrailName")]
    name: String,
}

impl Call<'_> {
    fn read<R: DeserializeOwned>(&self) -> Result<R, Failure> {
        // The model has been kept; what it lets pass and a request cannot hold has no words of AWS.
        serde_json::from_slice(self.body).map_err(|_| Failure::Refused("SerializationException", String::new()))
    }

    fn account(&self) -> AccountId {
        self.caller.principal().account
    }

    fn region(&self) -> &str {
        self.caller.region()
    }

    fn now(&self) -> Timestamp {
        (self.app.settings.clock)().into()
    }

    /// The trail that the request names, wherever it was made.
    fn trail(&self) -> Result<Arc<Trail>, Failure> {
        let named: Named = self.read()?;
        Ok(self.app.trails.find(self.account(), self.region(), &named.name)?)
    }

    /// The same, for what is done in its home Region alone.
    fn trail_at_home(&self, text: &str) -> Result<Arc<Trail>, Failure> {
        Ok(self.app.trails.find_at_home(self.account(), self.region(), text)?)
    }
}

fn answer(answer: &impl Serialize) -> Answer {
    serde_json::to_vec(answer).map(Bytes::from).map_err(|error| Error::Internal(error.to_string()).into())
}

pub(super) async fn create_trail(call: &Call<'_>, _: &Allowed) -> Answer {
    let first = *call.app.audit.newest().borrow() + 1;
    let request: CreateTrailRequest = call.read()?;
    let plan = Plan::create(call.account(), call.region(), first, request)?;
    let trail = settle(call, plan).await?;
    answer(&TrailResponse::from(&*call.app.trails.create(trail).await?))
}

pub(super) async fn update_trail(call: &Call<'_>, _: &Allowed) -> Answer {
    let request: UpdateTrailRequest = call.read()?;
    let trail = call.trail_at_home(&request.name)?;
    let wanted = settle(call, Plan::update(&trail, request.clone())?).await?;
    let change = |current: &mut Trail| {
        // As it is by now, so that nothing that others changed meanwhile is lost.
        let planned = Plan::update(current, request)?.trail;
        *current = Trail { key: wanted.key, ..planned };
        Ok(())
    };
    let (trail, ()) = call.app.trails.change(&trail, change).await?;
    answer(&TrailResponse::from(&*trail))
}

/// Asks the bucket and the key of a planned trail.
async fn settle(call: &Call<'_>, plan: Plan) -> Result<Trail, Error> {
    let Plan { mut trail, key } = plan;
    service::check_bucket(call.app, &trail).await?;
    if let Some(named) = key.or_else(|| trail.key.clone()) {
        trail.key = Some(service::check_key(call.app, &trail, &named).await?);
    }
    Ok(trail)
}

pub(super) async fn delete_trail(call: &Call<'_>, _: &Allowed) -> Answer {
    let named: Named = call.read()?;
    call.app.trails.delete(&*call.trail_at_home(&named.name)?).await?;
    answer(&Empty {})
}

pub(super) async fn describe_trails(call: &Call<'_>, _: &Allowed) -> Answer {
    let request: DescribeTrailsRequest = call.read()?;
    let trails = call.app.trails.describe(call.account(), call.region(), &request)?;
    answer(&DescribeTrailsResponse { trail_list: trails.iter().map(|trail| (&**trail).into()).collect() })
}

pub(super) async fn get_trail(call: &Call<'_>, _: &Allowed) -> Answer {
    answer(&GetTrailResponse { trail: (&*call.trail()?).into() })
}

pub(super) async fn list_trails(call: &Call<'_>, _: &Allowed) -> Answer {
    answer(&call.app.trails.list(call.account()))
}

pub(super) async fn start_logging(call: &Call<'_>, _: &Allowed) -> Answer {
    let named: Named = call.read()?;
    let asked = Timestamp::from(call.caller.facts().time);
    call.app.trails.start_logging(&*call.trail_at_home(&named.name)?, asked).await?;
    answer(&Empty {})
}

pub(super) async fn stop_logging(call: &Call<'_>, _: &Allowed) -> Answer {
    let named: Named = call.read()?;
    call.app.trails.stop_logging(&*call.trail_at_home(&named.name)?).await?;
    answer(&Empty {})
}

pub(super) async fn get_trail_status(call: &Call<'_>, _: &Allowed) -> Answer {
    answer(&call.app.trails.status(&*call.trail()?, call.region()).await?)
}

pub(super) async fn get_event_selectors(call: &Call<'_>, _: &Allowed) -> Answer {
    answer(&EventSelectorsResponse::from(&*call.trail()?))
}

pub(super) async fn put_event_selectors(call: &Call<'_>, _: &Allowed) -> Answer {
    let request: PutEventSelectorsRequest = call.read()?;
    let trail = call.trail_at_home(&request.trail_name)?;
    let selectors = Selectors::parse(request.event_selectors, request.advanced_event_selectors)?;
    answer(&EventSelectorsResponse::from(&*call.app.trails.put_selectors(&trail, selectors).await?))
}

pub(super) async fn add_tags(call: &Call<'_>, _: &Allowed) -> Answer {
    let request: TagsRequest = call.read()?;
    let trail = call.app.trails.tagged(call.account(), call.region(), &request.resource_id)?;
    call.app.trails.add_tags(&trail, request).await?;
    answer(&Empty {})
}

pub(super) async fn remove_tags(call: &Call<'_>, _: &Allowed) -> Answer {
    let request: TagsRequest = call.read()?;
    let trail = call.app.trails.tagged(call.account(), call.region(), &request.resource_id)?;
    call.app.trails.remove_tags(&trail, request).await?;
    answer(&Empty {})
}

pub(super) async fn list_tags(call: &Call<'_>, _: &Allowed) -> Answer {
    let request: ListTagsRequest = call.read()?;
    // The first was decided about before.
    for arn in request.resource_id_list.iter().skip(1) {
        let subject = existing(call, arn)?;
        let context = subject.context.clone();
        authorize(call.caller, "cloudtrail:ListTags", subject, &context)
            .map_err(|denied| Failure::Refused("AccessDeniedException", denied.to_string()))?;
    }
    answer(&call.app.trails.list_tags(call.account(), call.region(), &request)?)
}

pub(super) async fn list_public_keys(call: &Call<'_>, _: &Allowed) -> Answer {
    let request: ListPublicKeysRequest = call.read()?;
    answer(&call.app.trails.public_keys(call.region(), &request).await?)
}

pub(super) async fn lookup_events(call: &Call<'_>, _: &Allowed) -> Answer {
    let request: LookupEventsRequest = call.read()?;
    let region = keys::Region::parse(call.region()).map_err(|error| Error::Internal(error.to_string()))?;
    let Some(query) = request.query(call.account(), region, call.now())? else {
        return answer(&LookupEventsResponse::default());
    };
    let page = call.app.audit.lookup(&query).await.map_err(|error| match error {
        audit::Error::InvalidToken => Error::InvalidNextToken("Invalid token".to_owned()),
        other => Error::Internal(other.to_string()),
    })?;
    answer(&LookupEventsResponse::from(page))
}
