//! How the images of the demo behave.

use super::shop_files;
use landfall_sandbox::world::Behaviour;

/// The last log lines of a version that crashes.
pub(super) const CRASH_LOG: &str = "demo-app 2.1 starts\nconnecting to postgres://orders\n\
    panic: no DATABASE_URL in the environment\n\ngoroutine 1 [running]:\nmain.main()\n";

/// The behaviours of images, by their names.
pub(super) fn all() -> [(&'static str, Behaviour); 4] {
    [
        ("missing", Behaviour::ImagePull),
        ("never-ready", Behaviour::NeverReady),
        ("broken", shop_files::broken_migration()),
        (
            "crash",
            Behaviour::CrashLoop {
                exit_code: 1,
                log: CRASH_LOG.to_owned(),
                reason: None,
            },
        ),
    ]
}
