use super::*;

#[test]
fn clusters_by_name_and_by_arn() {
    for name in ["prod", "a", "Prod_1-b", &"n".repeat(100)] {
        let read = EksCluster::read(name).expect(name);
        assert_eq!((&*read.name, read.region, read.account), (name, None, None));
    }
    for partition in ["aws", "aws-cn", "aws-us-gov"] {
        let arn = format!("arn:{partition}:eks:eu-west-1:111122223333:cluster/prod");
        let read = EksCluster::read(&arn).expect(&arn);
        assert_eq!(
            read.to_string(),
            "EKS cluster `prod` (account 111122223333, region eu-west-1)"
        );
    }
}

#[test]
fn what_is_not_a_cluster() {
    for given in [
        "-prod",
        "prod/blue",
        "pro d",
        "https://ABC.gr7.eu-west-1.eks.amazonaws.com",
        &"n".repeat(101),
        "arn:aws:eks:eu-west-1:111122223333:nodegroup/prod/a/b",
        "arn:aws:eks:eu-west-1:1111:cluster/prod",
        "arn:aws:eks:evil.example.com/:111122223333:cluster/prod",
        "arn:aws:iam::111122223333:role/prod",
        "arn:aws:eks:eu-west-1:111122223333:cluster/",
    ] {
        assert!(EksCluster::read(given).is_err(), "{given}");
    }
}

#[test]
fn roles_and_external_ids() {
    for good in [
        "arn:aws:iam::111122223333:role/deployer",
        "arn:aws-cn:iam::111122223333:role/teams/web/deployer@1",
    ] {
        assert_eq!(AssumedRole::read(good).expect(good).arn, good);
    }
    for (bad, told) in [
        ("deployer", "is not the ARN of a role"),
        (
            "arn:aws:iam::111122223333:user/me",
            "is not the ARN of a role",
        ),
        ("arn:aws:iam::1:role/me", "is not the ARN of a role"),
        (
            "arn:aws:sts::111122223333:assumed-role/deployer/me",
            "is the ARN of a session",
        ),
    ] {
        let problem = AssumedRole::read(bad).expect_err(bad);
        assert!(problem.contains(told), "{bad}: {problem}");
    }
    for bad in ["x", "with blank", &"x".repeat(1225), "a\nb"] {
        assert!(external_id(bad).is_err(), "{bad}");
    }
    assert_eq!(external_id("team/web:1").as_deref(), Ok("team/web:1"));
}

#[test]
fn an_external_id_is_not_printed() {
    let mut role = AssumedRole::read("arn:aws:iam::111122223333:role/deployer").expect("valid");
    role.external_id = Some("c4n4ry".into());
    assert!(!format!("{role:?}").contains("c4n4ry"));
}

#[test]
fn regions() {
    for good in [
        "eu-central-1",
        "us-gov-west-1",
        "us-iso-east-1",
        "eusc-de-east-1",
    ] {
        assert!(is_region(good), "{good}");
    }
    for bad in [
        "",
        "eu",
        "eu-central-1.example.com",
        "EU-CENTRAL-1",
        "eu--1",
        "a/b-c-d",
    ] {
        assert!(!is_region(bad), "{bad}");
    }
}
