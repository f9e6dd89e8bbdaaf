use super::*;
use landfall_sandbox::kubernetes::{Authority, Kubernetes};
use landfall_sandbox::world::World;

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

#[test]
fn each_file_has_its_question() {
    let words = |switching, rotation| {
        let options = Options {
            switching,
            rotation,
            ..Options::default()
        };
        Question::all(&options)
            .iter()
            .map(Question::words)
            .collect::<Vec<_>>()
    };
    assert_eq!(words(false, None), ["patch deployments"]);
    let workloads = Options {
        workloads: true,
        ..Options::default()
    };
    let asked = Question::all(&workloads);
    assert_eq!(asked[1].words(), "patch statefulsets");
    assert_eq!(
        words(true, Some(600)),
        [
            "patch deployments",
            "patch services",
            "create serviceaccounts/token"
        ]
    );
}

/// Against the sandbox's API server, by TLS.
#[tokio::test]
async fn token_and_ca_must_both_be_right() {
    let mut world = World::new("the-token");
    world.forbid("patch", "services");
    let cluster = Kubernetes::start(world).await.unwrap();
    let all = Question::all(&Options {
        switching: true,
        ..Options::default()
    });
    let other = Authority::generate();
    let ask = async |ca: Option<&str>, text: &str, questions: &[Question]| {
        ask(cluster.url(), ca, &token(text), "default", questions).await
    };
    let ca = Some(cluster.ca());
    assert_eq!(ask(ca, "the-token", &all[..1]).await, Ok(None));
    let forbidden = Some(Denial::Forbidden(all[1]));
    assert_eq!(ask(ca, "the-token", &all).await, Ok(forbidden));
    assert_eq!(ask(ca, "another", &all).await, Ok(Some(Denial::Unknown)));
    for (ca, words) in [
        (Some(other.pem()), "is not the one that the CA vouches for"),
        (None, "is not the one that the CA vouches for"),
        (Some("no PEM"), "no certificate"),
    ] {
        let refusal = ask(ca, "the-token", &all).await.unwrap_err().to_string();
        assert!(refusal.contains(words), "{refusal}");
    }
    let nobody = super::ask("https://127.0.0.1:1", ca, &token("t"), "default", &all).await;
    assert!(
        nobody
            .unwrap_err()
            .to_string()
            .contains("cannot be reached from here")
    );
}
