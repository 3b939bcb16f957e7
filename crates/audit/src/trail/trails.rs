//! The trails of a store, and every operation on them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use data_encoding::HEXLOWER;
use keys::{AccountId, Keys, RecordSealer, Timestamp};
use meta::{Order, Range, Store, Table, Transaction};

use super::name::Reference;
use super::requests::{
    DescribeTrailsRequest, ListPublicKeysRequest, ListPublicKeysResponse, ListTagsRequest, ListTagsResponse,
    ListTrailsResponse, PublicKey, ResourceTag, TagsRequest, TrailInfo, TrailStatus,
};
use super::selector::Facts;
use super::signing::SigningKeys;
use super::{Error, Selectors, SigningKey, State, Tag, Trail, rows};

/// All trails. What is asked for every S3 request is answered from memory.
pub struct Trails {
    store: Arc<dyn Store>,
    keys: Arc<Keys>,
    signing: SigningKeys,
    clock: keys::Clock,
    /// Deleted ones too, until their last files are delivered.
    all: RwLock<Arc<Vec<Arc<Trail>>>>,
    /// Held by whoever changes one.
    changing: tokio::sync::Mutex<()>,
}

impl Trails {
    /// Reads the trails of a store. Writes nothing.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn open(store: Arc<dyn Store>, keys: Arc<Keys>, clock: keys::Clock) -> Result<Arc<Self>, Error> {
        let range = Range::prefix(rows::TRAILS.as_bytes());
        let mut all = Vec::new();
        for row in store.scan(Table::Setting, &range, Order::Ascending, MOST_TRAILS).await? {
            all.push(Arc::new(rows::open::<Trail>(keys.records(), rows::TRAIL, &row.key, &row.value)?));
        }
        let signing = SigningKeys::new(Arc::clone(&store), Arc::clone(&keys));
        let all = RwLock::new(Arc::new(all));
        Ok(Arc::new(Self { store, keys, signing, clock, all, changing: tokio::sync::Mutex::new(()) }))
    }

    fn sealer(&self) -> &RecordSealer {
        self.keys.records()
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)().into()
    }

    /// All trails, with deleted ones whose last files are still to be delivered.
    pub fn all(&self) -> Arc<Vec<Arc<Trail>>> {
        Arc::clone(&self.all.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether some trail of an account wants a data event of a Region.
    pub fn want_data(&self, account: AccountId, region: &str, facts: &Facts<'_>) -> bool {
        self.all().iter().any(|trail| {
            trail.account == account
                && trail.is_logging()
                && trail.covers(region)
                && trail.selectors.want_data()
                && trail.wants(facts)
        })
    }

    /// Whether any trail at all wants data events, of whatever kind.
    pub fn any_wants_data(&self) -> bool {
        self.all().iter().any(|trail| trail.is_logging() && trail.selectors.want_data())
    }

    /// A trail by what a request calls it.
    ///
    /// # Errors
    /// [`Error::TrailNotFound`] and what cannot name one.
    pub fn find(&self, account: AccountId, region: &str, text: &str) -> Result<Arc<Trail>, Error> {
        let reference = Reference::parse(text, account)?;
        let home = reference.region.as_deref().unwrap_or(region);
        let all = self.all();
        let found = all.iter().find(|trail| {
            trail.deleted.is_none()
                && trail.account == account
                && reference.account == account
                && trail.home == home
                && trail.name == reference.name.as_str()
        });
        found.cloned().ok_or_else(|| reference.not_found(account))
    }

    /// The same, for what is done in the trail's home Region alone.
    ///
    /// # Errors
    /// The same, and [`Error::InvalidHomeRegion`].
    pub fn find_at_home(&self, account: AccountId, region: &str, text: &str) -> Result<Arc<Trail>, Error> {
        let trail = self.find(account, region, text)?;
        if trail.home != region {
            return Err(Error::InvalidHomeRegion(format!(
                "Trail: {} is not in its home region: {region}. The home region is {}.",
                trail.arn(),
                trail.home
            )));
        }
        Ok(trail)
    }

    /// Stores a new trail.
    ///
    /// # Errors
    /// [`Error::TrailAlreadyExists`], [`Error::MaximumNumberOfTrailsExceeded`]; a failing store.
    pub async fn create(&self, trail: Trail) -> Result<Arc<Trail>, Error> {
        let _held = self.changing.lock().await;
        let (account, home) = (trail.account, trail.home.as_str());
        let all = self.all();
        let own = || all.iter().filter(|other| other.account == account && other.deleted.is_none());
        if own().any(|other| other.home == home && other.name == trail.name) {
            return Err(Error::TrailAlreadyExists(format!(
                "Trail {} already exists for customer: {account}",
                trail.name
            )));
        }
        if own().filter(|other| other.covers(home)).count() >= TRAILS_PER_REGION {
            return Err(Error::MaximumNumberOfTrailsExceeded(format!(
                "User: {account} already has {TRAILS_PER_REGION} trails in {home}."
            )));
        }
        let key = rows::trail(account, home, &trail.name);
        let value = rows::seal(self.sealer(), rows::TRAIL, key.as_bytes(), &trail);
        self.store
            .commit(Transaction::new().expect_absent(Table::Setting, &key).put(Table::Setting, &key, value))
            .await?;
        let trail = Arc::new(trail);
        self.replace(|all| all.push(Arc::clone(&trail)));
        Ok(trail)
    }

    /// Changes a trail, as it is by then.
    ///
    /// # Errors
    /// What `change` says; [`Error::Conflict`] if it is gone; a failing store.
    pub async fn change<T: Send>(
        &self,
        trail: &Trail,
        change: impl FnOnce(&mut Trail) -> Result<T, Error> + Send,
    ) -> Result<(Arc<Trail>, T), Error> {
        let _held = self.changing.lock().await;
        let current = self.all().iter().find(|other| other.id == trail.id).cloned();
        let gone = || Error::Conflict("The trail was deleted by another request.".to_owned());
        let current = current.ok_or_else(gone)?;
        let mut changed = Trail::clone(&current);
        let result = change(&mut changed)?;
        if changed == *current {
            return Ok((current, result));
        }
        let key = match changed.deleted {
            Some(_) => rows::ended(&changed.id),
            None => rows::trail(changed.account, &changed.home, &changed.name),
        };
        let mut transaction = Transaction::new();
        if changed.deleted.is_some() && current.deleted.is_none() {
            transaction =
                transaction.delete(Table::Setting, rows::trail(changed.account, &changed.home, &changed.name));
        }
        let value = rows::seal(self.sealer(), rows::TRAIL, key.as_bytes(), &changed);
        self.store.commit(transaction.put(Table::Setting, &key, value)).await?;
        let changed = Arc::new(changed);
        self.replace(|all| {
            if let Some(place) = all.iter_mut().find(|other| other.id == changed.id) {
                *place = Arc::clone(&changed);
            }
        });
        Ok((changed, result))
    }

    /// Forgets a deleted trail, once its last files are delivered.
    pub(crate) async fn forget(&self, trail: &Trail) -> Result<(), Error> {
        let _held = self.changing.lock().await;
        let states = Range::prefix(rows::states(&trail.id).as_bytes());
        let mut transaction = Transaction::new().delete(Table::Setting, rows::ended(&trail.id));
        for row in self.store.scan(Table::Setting, &states, Order::Ascending, MOST_TRAILS).await? {
            transaction = transaction.delete(Table::Setting, &row.key);
        }
        self.store.commit(transaction).await?;
        self.replace(|all| all.retain(|other| other.id != trail.id));
        Ok(())
    }

    fn replace(&self, edit: impl FnOnce(&mut Vec<Arc<Trail>>)) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        let mut edited = Vec::clone(&all);
        edit(&mut edited);
        *all = Arc::new(edited);
    }

    /// How far delivery is.
    pub(crate) async fn state(&self, trail: &Trail, region: &str) -> Result<State, Error> {
        let key = rows::state(&trail.id, region);
        match self.store.get(Table::Setting, key.as_bytes()).await? {
            Some(value) => rows::open(self.sealer(), rows::STATE, key.as_bytes(), &value),
            None => Ok(State { next: trail.first, ..State::default() }),
        }
    }

    pub(crate) async fn set_state(&self, trail: &Trail, region: &str, state: &State) -> Result<(), Error> {
        let key = rows::state(&trail.id, region);
        let value = rows::seal(self.sealer(), rows::STATE, key.as_bytes(), state);
        Ok(self.store.commit(Transaction::new().put(Table::Setting, &key, value)).await?)
    }

    pub(crate) async fn signing_key(&self, region: &str, fingerprint: Option<&str>) -> Result<SigningKey, Error> {
        let Some(fingerprint) = fingerprint else { return self.signing.current(region, self.now()).await };
        let all = self.signing.all(region).await?;
        let found = all.into_iter().find(|key| key.fingerprint() == fingerprint);
        found.ok_or_else(|| Error::damaged("signing key"))
    }
}

/// Operations that need nothing but the trails.
impl Trails {
    /// DescribeTrails.
    ///
    /// # Errors
    /// Names that no trail can have.
    pub fn describe(
        &self,
        account: AccountId,
        region: &str,
        request: &DescribeTrailsRequest,
    ) -> Result<Vec<Arc<Trail>>, Error> {
        let shadows = request.include_shadow_trails.unwrap_or(true);
        let references: Result<Vec<_>, _> =
            request.trail_name_list.iter().map(|text| Reference::parse(text, account)).collect();
        let references = references?;
        let named = |trail: &Trail| {
            references.is_empty()
                || references.iter().any(|reference| {
                    reference.account == account
                        && reference.name.as_str() == trail.name
                        && reference.region.as_deref().unwrap_or(region) == trail.home
                })
        };
        let visible = |trail: &Trail| trail.home == region || (shadows && trail.multi_region);
        Ok(self.of(account).into_iter().filter(|trail| visible(trail) && named(trail)).collect())
    }

    /// An account's trails, in every Region.
    pub fn of(&self, account: AccountId) -> Vec<Arc<Trail>> {
        let all = self.all();
        all.iter().filter(|trail| trail.account == account && trail.deleted.is_none()).cloned().collect()
    }

    /// ListTrails.
    pub fn list(&self, account: AccountId) -> ListTrailsResponse {
        let info = |trail: &Arc<Trail>| TrailInfo {
            arn: trail.arn(),
            name: trail.name.clone(),
            home_region: trail.home.clone(),
        };
        ListTrailsResponse { trails: self.of(account).iter().map(info).collect() }
    }

    /// StartLogging, from the moment on at which it was asked for, so that the trail tells of it.
    ///
    /// # Errors
    /// [`Trails::change`]'s.
    pub async fn start_logging(&self, trail: &Trail, now: Timestamp) -> Result<(), Error> {
        let start = |trail: &mut Trail| {
            trail.start(now);
            Ok(())
        };
        self.change(trail, start).await.map(drop)
    }

    /// StopLogging.
    ///
    /// # Errors
    /// [`Trails::change`]'s.
    pub async fn stop_logging(&self, trail: &Trail) -> Result<(), Error> {
        let now = self.now();
        let stop = |trail: &mut Trail| {
            trail.stop(now);
            Ok(())
        };
        self.change(trail, stop).await.map(drop)
    }

    /// DeleteTrail. What it has logged so far is still delivered.
    ///
    /// # Errors
    /// [`Trails::change`]'s.
    pub async fn delete(&self, trail: &Trail) -> Result<(), Error> {
        let now = self.now();
        let delete = |trail: &mut Trail| {
            trail.stop(now);
            trail.deleted = Some(now);
            Ok(())
        };
        self.change(trail, delete).await.map(drop)
    }

    /// GetTrailStatus, in one Region.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn status(&self, trail: &Trail, region: &str) -> Result<TrailStatus, Error> {
        Ok(TrailStatus::new(trail, self.state(trail, region).await?))
    }

    /// PutEventSelectors.
    ///
    /// # Errors
    /// [`Trails::change`]'s.
    pub async fn put_selectors(&self, trail: &Trail, selectors: Selectors) -> Result<Arc<Trail>, Error> {
        let put = |trail: &mut Trail| {
            trail.selectors = selectors;
            Ok(())
        };
        self.change(trail, put).await.map(|(trail, ())| trail)
    }

    /// AddTags: a tag of a key that is there is replaced.
    ///
    /// # Errors
    /// [`Error::InvalidTagParameter`], [`Error::TagsLimitExceeded`], [`Trails::change`]'s.
    pub async fn add_tags(&self, trail: &Trail, request: TagsRequest) -> Result<(), Error> {
        check_tags(&request.tags_list)?;
        let add = |trail: &mut Trail| {
            for tag in request.tags_list {
                match trail.tags.iter_mut().find(|other| other.key == tag.key) {
                    Some(other) => *other = tag,
                    None => trail.tags.push(tag),
                }
            }
            check_count(&trail.tags)
        };
        self.change(trail, add).await.map(drop)
    }

    /// RemoveTags: by key, and by value where the request names one.
    ///
    /// # Errors
    /// [`Trails::change`]'s.
    pub async fn remove_tags(&self, trail: &Trail, request: TagsRequest) -> Result<(), Error> {
        let remove = |trail: &mut Trail| {
            let meant = |tag: &Tag| {
                let same = |other: &&Tag| other.key == tag.key && (other.value.is_none() || other.value == tag.value);
                request.tags_list.iter().find(same).is_some()
            };
            trail.tags.retain(|tag| !meant(tag));
            Ok(())
        };
        self.change(trail, remove).await.map(drop)
    }

    /// A trail by its ARN, for the operations on tags, which take nothing else.
    ///
    /// # Errors
    /// [`Error::ArnInvalid`], [`Error::ResourceTypeNotSupported`], [`Error::ResourceNotFound`].
    pub fn tagged(&self, account: AccountId, region: &str, arn: &str) -> Result<Arc<Trail>, Error> {
        let kind = arn.splitn(6, ':').nth(5).and_then(|resource| resource.split('/').next());
        match kind {
            Some("eventdatastore" | "channel" | "dashboard") => {
                return Err(Error::ResourceTypeNotSupported(format!("Resource type is not supported: {arn}")));
            }
            Some("trail") if arn.starts_with("arn:") => {}
            _ => return Err(Error::ArnInvalid(format!("Invalid trail ARN: {arn}"))),
        }
        let missing = |error| match error {
            Error::TrailNotFound(_) => Error::ResourceNotFound(format!("The resource with ARN {arn} was not found.")),
            other => other,
        };
        self.find(account, region, arn).map_err(missing)
    }

    /// ListTags.
    ///
    /// # Errors
    /// [`Trails::tagged`]'s; [`Error::InvalidParameter`] for more ARNs than 20.
    pub fn list_tags(
        &self,
        account: AccountId,
        region: &str,
        request: &ListTagsRequest,
    ) -> Result<ListTagsResponse, Error> {
        if request.resource_id_list.len() > TAGGED_AT_ONCE {
            return Err(Error::InvalidParameter(format!("The list has a limit of {TAGGED_AT_ONCE} ARNs.")));
        }
        let tags = |arn: &String| {
            let trail = self.tagged(account, region, arn)?;
            Ok(ResourceTag { resource_id: arn.clone(), tags_list: trail.tags.clone() })
        };
        let list: Result<Vec<_>, Error> = request.resource_id_list.iter().map(tags).collect();
        Ok(ListTagsResponse { resource_tag_list: list? })
    }

    /// ListPublicKeys: the keys of a Region that signed at some time between two moments.
    ///
    /// # Errors
    /// [`Error::InvalidTimeRange`]; a failing store.
    pub async fn public_keys(
        &self,
        region: &str,
        request: &ListPublicKeysRequest,
    ) -> Result<ListPublicKeysResponse, Error> {
        let now = self.now();
        let (start, end) =
            (request.start_time.unwrap_or(now), request.end_time.unwrap_or(now.max(request.start_time.unwrap_or(now))));
        if start > end {
            return Err(Error::InvalidTimeRange("Start time must be before end time.".to_owned()));
        }
        let signed = |key: &SigningKey| key.from() <= end && start <= key.until();
        let public = |key: SigningKey| PublicKey {
            value: key.public().to_owned(),
            validity_start_time: key.from(),
            validity_end_time: key.until(),
            fingerprint: key.fingerprint().to_owned(),
        };
        let keys = self.signing.all(region).await?;
        Ok(ListPublicKeysResponse { public_key_list: keys.into_iter().filter(signed).map(public).collect() })
    }
}

/// Holds tags of a request against AWS's rules; the model's constraints are checked before.
pub(crate) fn check_tags(tags: &[Tag]) -> Result<(), Error> {
    for (index, tag) in tags.iter().enumerate() {
        if tags[..index].iter().any(|earlier| earlier.key == tag.key) {
            return Err(Error::InvalidTagParameter(format!("Duplicate tag key: {}", tag.key)));
        }
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Error::InvalidTagParameter(format!("Tag keys starting with aws: are reserved: {}", tag.key)));
        }
    }
    check_count(tags)
}

fn check_count(tags: &[Tag]) -> Result<(), Error> {
    match tags.len() > TAGS_PER_TRAIL {
        true => Err(Error::TagsLimitExceeded(format!("The limit of {TAGS_PER_TRAIL} tags per resource is exceeded."))),
        false => Ok(()),
    }
}

/// A new trail's identifier.
pub(crate) fn new_id() -> String {
    HEXLOWER.encode(uuid::Uuid::new_v4().as_bytes())
}

/// Quotas of AWS ("Quotas in AWS CloudTrail").
pub const TRAILS_PER_REGION: usize = 5;
/// "Tags per trail"
pub const TAGS_PER_TRAIL: usize = 50;
/// ListTags: "The list has a limit of 20 ARNs."
const TAGGED_AT_ONCE: usize = 20;
/// Trails of all accounts and Regions, which are held in memory: a bound, not a quota.
const MOST_TRAILS: usize = 100_000;
/// How long a deleted trail's last files are tried to be delivered.
pub(crate) const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
