//! The definitions, word by word: the JSON is read anew for each request, and patterns take exponential time.

use serde_json::{Map, Value};

/// A request, as the definitions see it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The caller's account.
    pub(crate) account: Option<&'static str>,
    /// The role's ARN, or the ARN of the user that asked for a federated session.
    pub(crate) entity: Option<&'static str>,
    /// The caller's own ARN, or a service's name; a root user has none.
    pub(crate) own: Option<&'static str>,
    /// Whether it has a permissions boundary.
    pub(crate) bounded: bool,
    /// The resource's account.
    pub(crate) owner: &'static str,
    pub(crate) action: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) keys: Map<String, Value>,
}

/// The policies that a request meets.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    pub(crate) identity: Vec<Value>,
    pub(crate) boundary: Option<Value>,
    pub(crate) session: Option<Vec<Value>>,
    pub(crate) resource: Option<Value>,
}

/// Whether the request is allowed, and whether a statement denies it.
pub(crate) fn decide(policies: &Policies, request: &Request, resource_must_allow: bool) -> (bool, bool) {
    let boundary = policies.boundary.as_ref().map(|document| says(std::slice::from_ref(document), request));
    let session = policies.session.as_ref().map(|documents| says(documents, request));
    let identity = says(&policies.identity, request);
    let mut resource = policies.resource.as_ref().map_or("nothing", |one| says(std::slice::from_ref(one), request));
    let own = request.account == Some(request.owner);
    let root = request.account.is_some() && request.own.is_none();
    if root && own && resource == "deny" && request.action == "s3:PutBucketPolicy" {
        resource = "nothing";
    }
    if request.account.is_none() {
        return (resource == "allow", resource == "deny");
    }
    if [Some(identity), boundary, session, Some(resource)].contains(&Some("deny")) {
        return (false, true);
    }
    let limits = boundary.is_none_or(|said| said == "allow") && session.is_none_or(|said| said == "allow");
    let side = limits && (root || identity == "allow");
    let allowed = match (own, resource_must_allow) {
        (true, _) if resource == "allow" => true,
        (true, _) if resource == "entity" && limits => true,
        (true, false) => side,
        _ => side && resource != "nothing",
    };
    (allowed, false)
}

pub(crate) fn says(documents: &[Value], request: &Request) -> &'static str {
    let mut found = vec![];
    for document in documents {
        let variables = document["Version"] == "2012-10-17";
        for statement in many(&document["Statement"]) {
            if let Some(reach) = applies(statement, variables, request) {
                found.push(if statement["Effect"] == "Deny" { "deny" } else { reach });
            }
        }
    }
    ["deny", "allow", "entity", "account"].into_iter().find(|word| found.contains(word)).unwrap_or("nothing")
}

fn many(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn applies(statement: &Value, variables: bool, request: &Request) -> Option<&'static str> {
    let deny = statement["Effect"] == "Deny";
    let action = |pattern: &Value| {
        glob(&literal(&text(pattern).to_lowercase()), &request.action.to_lowercase().chars().collect::<Vec<_>>())
    };
    let selected = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(these), _) => many(these).into_iter().any(action),
        (_, Some(others)) => !many(others).into_iter().any(action),
        _ => false,
    };
    let resource = |pattern: &Value| {
        let filled = fill(&text(pattern), variables, true, request)?;
        Some(glob(&filled, &request.resource.chars().collect::<Vec<_>>()))
    };
    let about = match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(these), _) => many(these).into_iter().any(|pattern| resource(pattern) == Some(true)),
        (_, Some(others)) => !many(others).into_iter().any(|pattern| resource(pattern).unwrap_or(!deny)),
        _ => false,
    };
    let mut conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    let hold = conditions.all(|(operator, keys)| {
        keys.as_object()
            .unwrap()
            .iter()
            .all(|(key, values)| condition(operator, key, &many(values), variables, deny, request))
    });
    let reach = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(element), _) => principal(element, request),
        (_, Some(element)) => (!spared(element, request)).then_some("allow"),
        _ => Some("allow"),
    };
    reach.filter(|_| selected && about && hold)
}

fn names(element: &Value, link: &str) -> bool {
    let root = format!("arn:aws:iam::{link}:root");
    let named =
        |kind: &str, name: &str| element.get(kind).is_some_and(|names| many(names).iter().any(|one| *one == name));
    element == "*" || named("AWS", "*") || named("AWS", link) || named("AWS", &root) || named("Service", link)
}

fn principal(element: &Value, request: &Request) -> Option<&'static str> {
    let named = |link: Option<&str>| link.is_some_and(|link| names(element, link));
    let account = if request.own.is_none() { "allow" } else { "account" };
    match () {
        () if names(element, "nobody is called that") || named(request.own) => Some("allow"),
        () if named(request.entity) => Some("entity"),
        () if named(request.account) => Some(account),
        () => None,
    }
}

fn spared(element: &Value, request: &Request) -> bool {
    let links = [request.account, request.entity, request.own];
    let somebody = links.iter().any(Option::is_some) || element == "*" || names(element, "nobody is called that");
    somebody && !request.bounded && links.into_iter().flatten().all(|link| names(element, link))
}

/// A pattern: characters, `None` for a star, `Some(None)` for a question mark.
type Glob = Vec<Option<Option<char>>>;

fn literal(pattern: &str) -> Glob {
    let part = |c| match c {
        '*' => None,
        '?' => Some(None),
        c => Some(Some(c)),
    };
    pattern.chars().map(part).collect()
}

fn glob(pattern: &[Option<Option<char>>], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((None, rest)) => (0..=text.len()).any(|skip| glob(rest, &text[skip..])),
        Some((Some(want), rest)) => {
            text.split_first().is_some_and(|(c, text)| want.is_none_or(|want| want == *c) && glob(rest, text))
        }
    }
}

fn value_of<'r>(request: &'r Request, key: &str) -> Option<&'r Value> {
    request.keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

fn fill(source: &str, variables: bool, wildcards: bool, request: &Request) -> Option<Glob> {
    let plain = |text: &str| text.chars().map(|c| Some(Some(c))).collect::<Glob>();
    let wild = |text: &str| if wildcards { literal(text) } else { plain(text) };
    match source.split_once("${").filter(|_| variables) {
        None => Some(wild(source)),
        Some((before, rest)) => {
            let (inside, after) = rest.split_once('}').unwrap();
            let (name, default) = inside
                .split_once(", ")
                .map_or((inside, None), |(name, default)| (name, Some(default.trim_matches('\''))));
            let value = match name {
                "*" | "?" | "$" => name,
                name => value_of(request, name).and_then(Value::as_str).or(default)?,
            };
            Some([wild(before), plain(value), fill(after, true, wildcards, request)?].concat())
        }
    }
}

fn condition(name: &str, key: &str, wanted: &[&Value], variables: bool, deny: bool, request: &Request) -> bool {
    let (quantifier, operator) = name.split_once(':').unwrap_or(("", name));
    let (operator, if_exists) = operator.strip_suffix("IfExists").map_or((operator, false), |name| (name, true));
    let values: Vec<String> = value_of(request, key).map(many).unwrap_or_default().into_iter().map(text).collect();
    if operator == "Null" {
        return wanted.iter().any(|wanted| text(wanted) == values.is_empty().to_string());
    }
    let negated = operator.contains("Not");
    let positive = operator.replacen("Not", "", 1);
    if values.is_empty() {
        return if_exists || quantifier == "ForAllValues" || (quantifier.is_empty() && negated);
    }
    let passes = |value: &String| {
        let outcomes: Vec<Option<bool>> =
            wanted.iter().map(|wanted| compare(&positive, value, &text(wanted), variables, request)).collect();
        let matched = outcomes.contains(&Some(true));
        if negated { !matched && (deny || !outcomes.contains(&None)) } else { matched }
    };
    let all = quantifier == "ForAllValues" || (quantifier.is_empty() && negated);
    if all { values.iter().all(passes) } else { values.iter().any(passes) }
}

fn compare(operator: &str, value: &str, wanted: &str, variables: bool, request: &Request) -> Option<bool> {
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    let number = |text: &str| text.parse::<i64>().ok();
    match operator {
        "StringEquals" => Some(glob(&fill(wanted, variables, false, request)?, &chars(value))),
        "StringEqualsIgnoreCase" => {
            let filled = fill(wanted, variables, false, request)?
                .into_iter()
                .map(|part| part.map(|c| c.map(|c| c.to_ascii_lowercase())));
            Some(glob(&filled.collect::<Glob>(), &chars(&value.to_lowercase())))
        }
        "StringLike" => Some(glob(&fill(wanted, variables, true, request)?, &chars(value))),
        "NumericEquals" => Some(number(value)? == number(wanted)?),
        "NumericLessThan" => Some(number(value)? < number(wanted)?),
        "NumericGreaterThanEquals" => Some(number(value)? >= number(wanted)?),
        "DateEquals" => Some(date(value)? == date(wanted)?),
        "DateLessThan" => Some(date(value)? < date(wanted)?),
        "DateGreaterThanEquals" => Some(date(value)? >= date(wanted)?),
        "BinaryEquals" => Some(blob(value)? == blob(wanted)?),
        "IpAddress" => {
            let (network, bits) = wanted.split_once('/').unwrap_or((wanted, "32"));
            let number = |text: &str| Some(u64::from(text.parse::<std::net::Ipv4Addr>().ok()?.to_bits()));
            let size = 1_u64 << (32 - bits.parse::<u32>().ok()?);
            Some(number(value)? / size == number(network)? / size)
        }
        "Bool" => Some(value.parse::<bool>().ok()? == wanted.parse::<bool>().ok()?),
        "ArnLike" | "ArnEquals" => {
            let split = |text: &str| text.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
            let value = split(value);
            if value.len() != 6 || value[0] != "arn" {
                return None;
            }
            // No variables in the ARNs that are generated: they may hold colons.
            let wanted = split(wanted);
            Some(
                wanted.len() == 6
                    && wanted.iter().zip(&value).all(|(wanted, value)| glob(&literal(wanted), &chars(value))),
            )
        }
        other => panic!("{other}"),
    }
}

/// The dates that are generated.
fn date(text: &str) -> Option<i64> {
    match text {
        "2024" => Some(1_704_067_200),
        "2024-06-01T00:00:00Z" => Some(1_717_200_000),
        "1" => Some(1),
        _ => None,
    }
}

/// The texts that are generated and are base64.
fn blob(text: &str) -> Option<&str> {
    ["", "QQ==", "Qg==", "true", "2024"].contains(&text).then_some(text)
}
