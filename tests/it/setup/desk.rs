//! A desk: kubectl, the AWS CLI and `landfall-access`, with a cluster and a moto of their own.

use crate::cluster::Cluster;
use crate::moto::Moto;
use crate::peer::{new_folder, post, program_path};
use crate::real::Namespace;
use crate::stage::demo_app;
use landfall_sandbox::aws::REGION;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) const RBAC: &str = "rbac.authorization.k8s.io/v1";
/// What `deploy/` puts into a namespace.
pub(super) const OBJECTS: [(&str, &str); 8] = [
    (RBAC, "rolebindings/landfall"),
    (RBAC, "rolebindings/landfall-rotation"),
    (RBAC, "roles/landfall-rotation"),
    (RBAC, "rolebindings/landfall-switching"),
    (RBAC, "roles/landfall"),
    (RBAC, "roles/landfall-switching"),
    ("v1", "secrets/landfall-token"),
    ("v1", "serviceaccounts/landfall"),
];

/// A cluster and an SSM that know nothing of Landfall, and the two programs, each behind a script that
/// writes its command line down.
pub(super) struct Desk {
    pub(super) cluster: Cluster,
    pub(super) moto: Moto,
    pub(super) folder: PathBuf,
    pub(super) kubeconfig: PathBuf,
    pub(super) keys: (String, String),
}

impl Desk {
    pub(super) async fn new() -> Desk {
        let cluster = Cluster::given(vec![demo_app(600)]).await;
        let folder = new_folder("access");
        let programs = [
            (
                "kubectl",
                PathBuf::from(std::env::var("LANDFALL_KUBECTL").unwrap()),
            ),
            ("aws", program_path("aws")),
        ];
        for (name, program) in programs {
            let log = folder.join("commands");
            let script = format!(
                "#!/bin/sh\nprintf '%s\\n' \"{name} $*\" >> '{}'\nexec '{}' \"$@\"\n",
                log.display(),
                program.display()
            );
            fs::write(folder.join(name), script).unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let desk = Desk {
            kubeconfig: std::env::var_os("KUBECONFIG").unwrap().into(),
            moto: Moto::start().await,
            keys: ("AKIAEXAMPLE".into(), "secret".into()),
            cluster,
            folder,
        };
        strip(desk.namespace()).await;
        desk
    }

    pub(super) fn namespace(&self) -> &Namespace {
        real(&self.cluster)
    }

    /// Runs it with these words more.
    pub(super) fn run(&self, words: &[&str]) -> Said {
        self.run_with(&format!("{}:/usr/bin:/bin", self.folder.display()), words)
    }

    pub(super) fn run_with(&self, path: &str, words: &[&str]) -> Said {
        let function = Path::new(env!("CARGO_BIN_EXE_landfall"));
        let output = Command::new(function.with_file_name("landfall-access"))
            .args(["--namespace", &self.namespace().name])
            .args(words)
            .env_clear()
            .envs([
                ("PATH", path),
                ("HOME", &self.folder.display().to_string()),
                ("KUBECONFIG", &self.kubeconfig.display().to_string()),
                ("AWS_ENDPOINT_URL", &format!("http://{}", self.moto.address)),
                ("AWS_ACCESS_KEY_ID", &self.keys.0),
                ("AWS_SECRET_ACCESS_KEY", &self.keys.1),
                ("AWS_DEFAULT_REGION", REGION),
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("`cargo build --workspace` makes landfall-access");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said {
            code: output.status.code(),
            output: text(output.stdout),
            problem: text(output.stderr),
        }
    }

    /// The parameters, whichever are there.
    pub(super) async fn stored(&self) -> Vec<Value> {
        let body = json!({"Names": ["k8s-bear-token", "k8s-ca"], "WithDecryption": true});
        let (status, mut answer) = self.moto.ssm("GetParameters", &body).await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_value(answer["Parameters"].take()).unwrap()
    }

    /// Versions of all that there is, in the cluster and in SSM.
    pub(super) async fn state(&self) -> Vec<String> {
        let mut state = Vec::new();
        for (version, path) in OBJECTS {
            let object = self
                .namespace()
                .get(&self.namespace().path(version, path))
                .await;
            let object = object.unwrap_or_default();
            state.push(format!("{path} {}", object["metadata"]["resourceVersion"]));
        }
        let stored = self.stored().await;
        state.extend(
            stored
                .iter()
                .map(|one| format!("{} {}", one["Name"], one["Version"])),
        );
        state
    }

    /// No value that SSM holds stands in any text or on any command line.
    pub(super) async fn nothing_slipped_out(&self, said: &[&Said]) {
        let commands = fs::read_to_string(self.folder.join("commands")).unwrap();
        assert!(
            commands.contains("put-parameter --name k8s-bear-token"),
            "{commands}"
        );
        let texts = said.iter().flat_map(|said| [&said.output, &said.problem]);
        for text in texts.chain([&commands]) {
            for parameter in self.stored().await {
                let value = parameter["Value"].as_str().unwrap();
                assert!(value.len() > 100 && !text.contains(value.trim()), "{text}");
            }
        }
    }

    /// From now on moto asks IAM, and its user may do only this.
    pub(super) async fn limit(&mut self, actions: Value) {
        let iam = async |action: &str, more: &str| {
            let body = format!("Action={action}&Version=2010-05-08&UserName=u{more}");
            let headers = format!(
                "Content-Type: application/x-www-form-urlencoded\r\n\
                 Authorization: AWS4-HMAC-SHA256 Credential=A/20260101/{REGION}/iam/aws4_request, \
                 SignedHeaders=host, Signature=0\r\n"
            );
            let address = self.moto.address.to_string();
            let (status, answer) = post(&address, "/", &headers, &body).await;
            assert_eq!(status, 200, "{answer}");
            answer
        };
        iam("CreateUser", "").await;
        let statement = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let policy = policy
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<String>();
        iam(
            "PutUserPolicy",
            &format!("&PolicyName=p&PolicyDocument={policy}"),
        )
        .await;
        let answer = iam("CreateAccessKey", "").await;
        let between = |tag: &str| {
            let (_, rest) = answer.split_once(&format!("<{tag}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        self.keys = (between("AccessKeyId"), between("SecretAccessKey"));
        let address = self.moto.address.to_string();
        let (status, answer) = post(&address, "/moto-api/reset-auth", "", "0").await;
        assert_eq!(status, 200, "{answer}");
    }
}

/// How a run ended and what it said.
pub(super) struct Said {
    pub(super) code: Option<i32>,
    pub(super) output: String,
    pub(super) problem: String,
}

impl Said {
    /// It went well, and said all of this.
    pub(super) fn well(self, words: &[&str]) -> Said {
        let Said {
            output, problem, ..
        } = &self;
        assert_eq!((self.code, &**problem), (Some(0), ""), "{output}");
        for words in words {
            assert!(output.contains(words), "{words}: {output}");
        }
        self
    }

    /// It failed, and said all of this.
    pub(super) fn badly(self, words: &[&str]) -> Said {
        assert_eq!(self.code, Some(1), "{}{}", self.output, self.problem);
        for words in words {
            assert!(self.problem.contains(words), "{words}: {}", self.problem);
        }
        self
    }
}

pub(super) fn real(cluster: &Cluster) -> &Namespace {
    match cluster {
        Cluster::Real(namespace) => namespace,
        Cluster::Sandbox(_) => panic!("make conformance"),
    }
}

/// Takes away what `deploy/` put there.
pub(super) async fn strip(namespace: &Namespace) {
    for (version, path) in OBJECTS {
        namespace.delete(&namespace.path(version, path)).await;
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _removed = fs::remove_dir_all(&self.folder);
    }
}
