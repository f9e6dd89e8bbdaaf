//! A desk: `landfall-access` with a stand-in for each of its two programs, which answers what a
//! story tells it to and writes its command lines down.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_sandbox::kubernetes::Kubernetes;
use landfall_sandbox::world::World;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

pub const TOKEN: &str = "k8s-aws-v1.the-token-of-the-role";
pub const ROLE: &str = "arn:aws:iam::111122223333:role/ci/landfall";
pub const ARN: &str = "arn:aws:eks:eu-west-1:111122223333:cluster/prod";

/// Finds a program's verb among its words, and runs the answer of that name.
const STAND_IN: &str = r#"#!/bin/sh
here='HERE'
name=${0##*/}
printf '%s\n' "$name $*" >> "$here/commands"
for word; do
  case $word in
    --dry-run=server) more=$more-dry ;;
    --raw) more=$more-raw ;;
    -o=json) more=$more-json ;;
  esac
done
key=$name count=0
while [ $# -gt 0 ] && [ $count -lt 2 ]; do
  case $1 in
    --region | --profile | -n) shift ;;
    --kubeconfig) kubeconfig=$2; shift ;;
    --context) context=$2; shift ;;
    -* | /*) ;;
    *) key="$key-$1" count=$((count + 1)) ;;
  esac
  shift
done
key=$key$more
[ -f "$here/$key" ] || { echo "no answer to $key" >&2; exit 99; }
. "$here/$key"
"#;

static DESKS: AtomicU32 = AtomicU32::new(0);

pub struct Desk {
    pub folder: PathBuf,
    pub cluster: Kubernetes,
}

pub struct Said {
    pub code: Option<i32>,
    pub output: String,
    pub problem: String,
}

impl Desk {
    /// An EKS cluster without an entry, a kubeconfig with its context, and nothing applied.
    pub async fn new() -> Desk {
        let number = DESKS.fetch_add(1, Ordering::Relaxed);
        let folder = format!("landfall-access-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        for name in ["kubectl", "aws"] {
            let script = STAND_IN.replace("HERE", folder.to_str().unwrap());
            fs::write(folder.join(name), script).unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let cluster = Kubernetes::start(World::new(TOKEN)).await.unwrap();
        let desk = Desk { folder, cluster };
        desk.arrange();
        desk
    }

    fn arrange(&self) {
        let me = json!({"Account": "111122223333",
            "Arn": "arn:aws:sts::111122223333:assumed-role/admin/me"});
        self.prints("aws-sts-get-caller-identity", &me.to_string());
        self.prints(
            "aws-configure-list",
            "region : eu-west-1 : env : AWS_REGION",
        );
        self.cluster(|_| {});
        let role = json!({"Role": {"Arn": ROLE, "CreateDate": "2026-01-02T03:04:05Z"}});
        self.prints("aws-iam-get-role", &role.to_string());
        self.answers(
            "aws-eks-describe-access-entry",
            "[ -f $here/entry ] && cat $here/entry || {
               echo 'An error occurred (ResourceNotFoundException) when calling the \
             DescribeAccessEntry operation: The specified principalArn could not be found.' >&2
               exit 254; }",
        );
        let entry = self.entry(&["landfall"], "STANDARD", "2026-02-02T03:04:05+00:00");
        for verb in ["create", "update"] {
            self.answers(
                &format!("aws-eks-{verb}-access-entry"),
                &format!("echo '{entry}' > $here/entry"),
            );
        }
        self.answers(
            "aws-eks-get-token",
            "echo 'An error occurred (AccessDenied) when calling the AssumeRole operation: User: me \
             is not authorized to perform: sts:AssumeRole' >&2; exit 254",
        );
        let url = self.cluster.url();
        let ca = STANDARD.encode(self.cluster.ca());
        let config = json!({"current-context": "other",
            "contexts": [
                {"name": "other", "context": {"cluster": "o", "user": "o"}},
                {"name": "prod", "context": {"cluster": "p", "user": "p"}}],
            "clusters": [
                {"name": "o", "cluster": {"server": "https://192.0.2.1"}},
                {"name": "p", "cluster": {"server": url}}]});
        self.prints("kubectl-config-view-json", &config.to_string());
        let cluster = json!({"server": url, "certificate-authority-data": ca});
        self.prints("kubectl-config-view-raw", &format!("prod\nshop\n{cluster}"));
        self.prints("kubectl-get-rolebinding", "");
        self.answers(
            "kubectl-apply-dry",
            "cat > /dev/null; [ -f $here/applied ] && state=unchanged || state=created
             echo \"role.rbac.authorization.k8s.io/landfall $state (server dry run)\"",
        );
        self.answers(
            "kubectl-apply",
            "cat >> $here/applied; echo role.rbac.authorization.k8s.io/landfall created",
        );
        self.answers(
            "kubectl-create-json",
            "cat >> $here/reviews; echo '{\"status\": {\"allowed\": true}}'",
        );
    }

    /// Tells a stand-in what to do at a command.
    pub fn answers(&self, key: &str, script: &str) {
        fs::write(self.folder.join(key), script).unwrap();
    }

    /// Tells a stand-in what to print at a command.
    pub fn prints(&self, key: &str, text: &str) {
        fs::write(self.folder.join(format!("{key}.out")), text).unwrap();
        self.answers(key, &format!("cat $here/{key}.out"));
    }

    /// Tells a stand-in how to fail at a command.
    pub fn fails(&self, key: &str, words: &str) {
        self.answers(key, &format!("echo '{words}' >&2; exit 254"));
    }

    /// Changes what EKS says of the cluster.
    pub fn cluster(&self, change: impl FnOnce(&mut Value)) {
        let mut cluster = json!({"name": "prod", "arn": ARN, "status": "ACTIVE",
            "endpoint": self.cluster.url(),
            "certificateAuthority": {"data": STANDARD.encode(self.cluster.ca())},
            "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
            "resourcesVpcConfig": {"endpointPublicAccess": true, "endpointPrivateAccess": false,
                "publicAccessCidrs": ["0.0.0.0/0"], "vpcId": "vpc-1",
                "clusterSecurityGroupId": "sg-1"}});
        change(&mut cluster);
        let answer = json!({ "cluster": cluster });
        self.prints("aws-eks-describe-cluster", &answer.to_string());
    }

    /// An access entry as EKS shows it.
    pub fn entry(&self, groups: &[&str], kind: &str, made: &str) -> String {
        let name = "arn:aws:sts::111122223333:assumed-role/landfall/{{SessionName}}";
        let entry = json!({"clusterName": "prod", "principalArn": ROLE, "type": kind,
            "kubernetesGroups": groups, "username": name, "createdAt": made});
        json!({ "accessEntry": entry }).to_string()
    }

    /// Puts a file into the folder.
    pub fn put(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    /// What a file of the folder has; empty if it is not there.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// The commands so far that change something.
    pub fn changes(&self) -> Vec<String> {
        let commands = self.read("commands");
        let changes = commands.lines().filter(|line| {
            let verbs = [
                "create-access",
                "update-access",
                "delete-access",
                "update-cluster",
            ];
            verbs.iter().any(|verb| line.contains(verb))
                || line.contains(" apply ") && !line.contains("--dry-run=server")
        });
        changes.map(str::to_owned).collect()
    }

    pub fn run(&self, words: &str) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_landfall-access"))
            .args(words.split_whitespace())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.folder.display()))
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let said = Said {
            code: output.status.code(),
            output: text(output.stdout),
            problem: text(output.stderr),
        };
        for text in [&said.output, &said.problem, &self.read("commands")] {
            assert!(!text.contains(TOKEN), "{text}");
        }
        said
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

impl Said {
    /// It went well, and said all of this.
    #[track_caller]
    pub fn well(self, words: &[&str]) -> Said {
        let Said {
            output, problem, ..
        } = &self;
        assert_eq!((self.code, &**problem), (Some(0), ""), "{output}");
        for words in words {
            assert!(output.contains(words), "{words}\n---\n{output}");
        }
        self
    }

    /// It failed, and said all of this.
    #[track_caller]
    pub fn badly(self, words: &[&str]) -> Said {
        let problem = &self.problem;
        assert_eq!(self.code, Some(1), "{}{problem}", self.output);
        for words in words {
            assert!(problem.contains(words), "{words}\n---\n{problem}");
        }
        self
    }
}
