use super::*;

const SECRET: &str = "not-a-real-secret";
const SESSION: &str = "not-a-real-session";
const HOST: &str = "sts.eu-central-1.amazonaws.com";

fn now() -> Timestamp {
    "2026-11-28T20:00:00Z".parse().expect("a time")
}

fn keys() -> AccessKeys {
    let keys = AccessKeys::default();
    keys.add(AccessKey {
        id: "ASIAEXAMPLE".to_owned(),
        secret: SECRET.to_owned(),
        session: SESSION.to_owned(),
        principal: Principal {
            role: "arn:aws:iam::111122223333:role/team/landfall".to_owned(),
            session: "landfall".to_owned(),
        },
        expires: now() + SignedDuration::from_hours(1),
    });
    keys
}

/// A URL signed for a cluster.
fn signed(cluster: &str, at: Timestamp) -> Url {
    let text = format!("https://{HOST}/?Action=GetCallerIdentity&Version=2011-06-15");
    let mut url = Url::parse(&text).expect("a URL");
    let date = at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let credential = format!("ASIAEXAMPLE/{}/eu-central-1/sts/aws4_request", &date[..8]);
    for (name, value) in [
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", &*credential),
        ("X-Amz-Date", &*date),
        ("X-Amz-Expires", "60"),
        ("X-Amz-SignedHeaders", "host;x-k8s-aws-id"),
        ("X-Amz-Security-Token", SESSION),
    ] {
        url.query_pairs_mut().append_pair(name, value);
    }
    let key = keys().get("ASIAEXAMPLE").expect("the key");
    let parameters = parameters(&url).expect("they are allowed");
    let signature = signature(&url, &parameters, "eu-central-1", &key, cluster, at);
    let signature = signature.expect("a signature");
    url.query_pairs_mut()
        .append_pair("X-Amz-Signature", &signature);
    url
}

fn token(url: &str) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(url))
}

#[test]
fn a_token_is_its_principals_at_its_own_cluster_for_a_quarter_of_an_hour() {
    let token = token(signed("demo", now()).as_str());
    for minutes in [-5, 0, 15] {
        let at = now() + SignedDuration::from_mins(minutes);
        let principal = keys().verify(&token, "demo", at).expect("let in");
        assert_eq!(
            principal.arn(),
            "arn:aws:sts::111122223333:assumed-role/landfall/landfall"
        );
    }
    let late = now() + SignedDuration::from_secs(15 * 60 + 1);
    assert_eq!(
        keys().verify(&token, "demo", late),
        Err("X-Amz-Date is older than 15 minutes")
    );
    assert_eq!(
        keys().verify(&token, "other", now()),
        Err("the signature does not match")
    );
    let all = keys();
    all.revoke("arn:aws:iam::111122223333:role/team/landfall");
    assert_eq!(
        all.verify(&token, "demo", now()),
        Err("the access key is not known")
    );
}

#[test]
fn every_change_of_a_token_is_refused() {
    let good = signed("demo", now());
    let scope = "the credential is for another region than the host";
    let changes = [
        ("=60", "=61", "the signature does not match"),
        ("=60", "=901", "X-Amz-Expires is too long"),
        ("X-Amz-Expires=60&", "", "a parameter is missing"),
        ("2011-06-15", "2011-06-16", "the signature does not match"),
        (
            "CallerIdentity",
            "User",
            "the action is not GetCallerIdentity",
        ),
        ("%3Bx-k8s-aws-id", "", "the cluster's header is not signed"),
        ("sts.eu-", "sts.attacker.", scope),
        (HOST, "sts.amazonaws.com", scope),
        (HOST, "sts.us-east-1.amazonaws.com", scope),
        (HOST, "10.0.0.1", "the URL is not one of STS"),
        ("https:", "http:", "the URL is not one of STS"),
        (".com/?", ".com/x?", "the URL is not one of STS"),
        (".com/?", ".com:444/?", "the URL is not one of STS"),
        ("?Action", "?User=a&Action", "a parameter is not allowed"),
        ("?Action", "?action=a&Action", "a parameter is there twice"),
        ("ASIAEXAMPLE", "ASIAOTHER", "the access key is not known"),
        ("%2Fsts%2F", "%2Fs3%2F", "the credential is not for STS"),
        (SESSION, "another", "the security token is another one's"),
    ];
    for (from, to, why) in changes {
        let changed = good.as_str().replacen(from, to, 1);
        assert_ne!(changed, good.as_str(), "{from}");
        let refused = keys().verify(&token(&changed), "demo", now());
        assert_eq!(refused, Err(why), "{from} {to}");
    }
    let good = token(good.as_str());
    let padded = format!("{good}=");
    let other = good.replace("k8s-aws-v1", "k8s-aws-v2");
    for text in [padded, other, "x".repeat(LONGEST + 1)] {
        assert!(keys().verify(&text, "demo", now()).is_err());
    }
}
