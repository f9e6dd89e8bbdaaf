use super::*;
use crate::command::Tools;
use crate::options::Options;

fn said(tool: Tool, words: &str) -> Refusal {
    let tools = Tools::new(&Options::default());
    let command = match tool {
        Tool::Kubectl => tools.kubectl(&["apply", "-f", "-"]),
        Tool::Aws => tools.aws(&["ssm", "put-parameter"]),
    };
    command.refusal(words)
}

/// The words are those of kubectl 1.35 and of the AWS CLI 1.46.
#[test]
fn advice_fits_what_was_said() {
    use Tool::{Aws, Kubectl};
    for (tool, words, advice) in [
        (Kubectl, "error: cannot locate context nope", "get-contexts"),
        (
            Kubectl,
            "error: context \"nope\" does not exist",
            "get-contexts",
        ),
        (
            Kubectl,
            "error: current-context must exist in order to minify",
            "update-kubeconfig",
        ),
        (
            Kubectl,
            "Error from server (NotFound): error when creating \"STDIN\": namespaces \"shop\" \
                 not found",
            "kubectl create namespace",
        ),
        (
            Kubectl,
            "Error from server (Forbidden): roles.rbac.authorization.k8s.io \"landfall\" is \
                 forbidden: User \"x\" cannot get resource",
            "get, create and patch serviceaccounts, roles and rolebindings",
        ),
        (
            Kubectl,
            "error: You must be logged in to the server (Unauthorized)",
            "does not know you",
        ),
        (
            Kubectl,
            "The connection to the server 127.0.0.1:1 was refused - did you specify the right \
                 host or port?",
            "cannot be reached",
        ),
        (Kubectl, "error: something new", "by hand"),
        (
            Aws,
            "Unable to locate credentials. You can configure",
            "aws configure",
        ),
        (
            Aws,
            "The config profile (nope) could not be found",
            "--profile",
        ),
        (Aws, "You must specify a region.", "--region"),
        (
            Aws,
            "An error occurred (AccessDeniedException) when calling the PutParameter \
                 operation: User: x is not authorized to perform: ssm:PutParameter",
            "ssm:PutParameter",
        ),
        (
            Aws,
            "An error occurred (ExpiredTokenException) when",
            "sign in again",
        ),
        (
            Aws,
            "An error occurred (InvalidKeyId) when calling",
            "kms:GenerateDataKey",
        ),
        (
            Aws,
            "Could not connect to the endpoint URL",
            "cannot be reached",
        ),
        (Aws, "something new", "by hand"),
    ] {
        let given = said(tool, words).advice();
        assert!(given.contains(advice), "{words}: {given}");
    }
}

#[test]
fn a_failure_names_step_cause_remedy_and_what_is_done() {
    let mut failure = said(Tool::Aws, "An error occurred (AccessDeniedException)")
        .at("storing the token in SSM parameter k8s-bear-token");
    assert!(failure.to_string().ends_with("\nNothing was changed."));
    failure.done = vec!["deploy/rbac.yaml is applied".into()];
    let text = failure.to_string();
    assert_eq!(
        text,
        "storing the token in SSM parameter k8s-bear-token failed:\n  \
             $ aws ssm put-parameter\n  \
             An error occurred (AccessDeniedException)\n\
             What to do: You need ssm:GetParameters, ssm:DescribeParameters and ssm:PutParameter on both \
             parameters, and on a key of your own kms:Encrypt, kms:GenerateDataKey and \
             kms:Decrypt. --profile names another identity.\n\
             Done before, and left so: deploy/rbac.yaml is applied. Run it again when the cause \
             is removed: what is done already is found and left as it is."
    );
}
