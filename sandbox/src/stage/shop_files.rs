//! The release of the demo: the input artifacts with its objects.

use landfall_sandbox::aws::{Aws, zip};
use landfall_sandbox::world::Behaviour;

const OBJECTS: &str = include_str!("shop.yaml");
/// The artifacts in `events/shop.json` and `events/migration.json`: key, version, migration.
const ARTIFACTS: [(&str, &str, &str); 2] = [
    ("demo/Release/TdOSFRV", "1.0", "1.0"),
    ("demo/Migration/TdOSFRV", "1.1", "1.1-broken"),
];
/// What a migration says that fails.
const MIGRATION_LOG: &str = "migrating orders from version 41 to 42\n\
    ALTER TABLE orders ADD COLUMN paid_at timestamptz\n\
    ERROR: column \"paid_at\" of relation \"orders\" already exists\n";

/// Puts the release's artifacts into the pipeline's bucket.
pub(crate) fn put_artifacts(aws: &Aws, bucket: &str) {
    for (key, version, migration) in ARTIFACTS {
        let objects = OBJECTS.replace("VERSION", version);
        let objects = objects.replace("MIGRATION", migration);
        aws.put_object(bucket, key, zip(&[("k8s/shop.yaml", objects.as_bytes())]));
    }
}

/// How a broken migration ends.
pub(crate) fn broken_migration() -> Behaviour {
    Behaviour::CrashLoop {
        exit_code: 1,
        log: MIGRATION_LOG.to_owned(),
        reason: None,
    }
}
