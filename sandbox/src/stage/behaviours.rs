//! How the images of the demo behave.

use super::shop_files;
use landfall_sandbox::world::Behaviour;

/// The last log lines of a version that crashes.
const CRASH_LOG: &str = "demo-app 2.1 starts\nconnecting to postgres://orders\n\
    panic: no DATABASE_URL in the environment\n\ngoroutine 1 [running]:\nmain.main()\n";

/// The behaviours of images, by their names.
pub(super) fn all() -> [(&'static str, Behaviour); 4] {
    [
        ("missing", Behaviour::ImagePull),
        ("never-ready", Behaviour::NeverReady),
        ("broken", shop_files::broken_migration()),
        ("crash", crash()),
    ]
}

/// It ends at once, with the log of a version that lacks its database.
pub(super) fn crash() -> Behaviour {
    Behaviour::CrashLoop {
        exit_code: 1,
        log: CRASH_LOG.to_owned(),
        reason: None,
    }
}
