use super::*;

#[test]
fn roles() {
    let read = |text: &str| RoleArn::read("--role", text);
    let role = read("arn:aws-cn:iam::111122223333:role/ci/team-a/landfall").unwrap();
    assert_eq!(role.name, "landfall");
    assert_eq!(
        role.without_path(),
        "arn:aws-cn:iam::111122223333:role/landfall"
    );
    let session = "arn:aws-cn:sts::111122223333:assumed-role/landfall";
    assert!(role.is_of(&format!("{session}/me")));
    assert!(!role.is_of(&format!("{session}-2/me")));
    for (text, words) in [
        ("landfall", "give the role's ARN"),
        ("arn:aws:iam::111122223333", "give the role's ARN"),
        ("arn:aws:iam::ACCOUNT:role/landfall", "twelve digits"),
        (
            "arn:aws:sts::111122223333:assumed-role/landfall/session",
            "arn:aws:iam::111122223333:role/landfall, with the role's path",
        ),
        ("arn:aws:iam::111122223333:user/jane", "that is not a role"),
        ("arn:aws:iam::111122223333:root", "that is not a role"),
        (
            "arn:aws:lambda:eu-west-1:111122223333:function:landfall",
            "that is not a role",
        ),
        (
            "arn:aws:iam::111122223333:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS",
            "no service-linked role",
        ),
        ("arn:aws:iam::111122223333:role/", "not a valid role name"),
        (
            "arn:aws:iam::111122223333:role/land fall",
            "not a valid role name",
        ),
        ("arn:aws:iam::111122223333:role/a b/landfall", "its path"),
    ] {
        let problem = read(text).unwrap_err();
        assert!(problem.contains(words), "{text}: {problem}");
    }
}

#[test]
fn clusters() {
    let read = |text: &str| ClusterName::read("--eks-cluster", text);
    assert_eq!(read("prod_1-a").unwrap().region, None);
    let named = read("arn:aws:eks:eu-west-1:111122223333:cluster/prod").unwrap();
    assert_eq!(
        (&*named.name, named.region.as_deref()),
        ("prod", Some("eu-west-1"))
    );
    for text in [
        "",
        "-prod",
        "pröd",
        "prod.eu-west-1",
        "arn:aws:eks:eu-west-1:111122223333:nodegroup/prod/a/b",
        "arn:aws:eks::111122223333:cluster/prod",
        "arn:aws:iam::111122223333:role/prod",
        "https://A1.gr7.eu-west-1.eks.amazonaws.com",
    ] {
        let problem = read(text).unwrap_err();
        assert!(
            problem.contains("give the cluster's name"),
            "{text}: {problem}"
        );
    }
}
