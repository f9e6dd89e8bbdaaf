//! The function dies by SIGKILL at random moments of a release: while it is applied, followed,
//! pruned or taken back. Afterwards there is the whole new release or the whole old one, and
//! nothing of anybody else has changed.

mod draw;
mod judge;
mod life;
mod others;
mod version;

use self::draw::Tally;
use self::life::Life;
use crate::kills::draw::Draw;
use crate::kills::{asked, in_namespaces};
use std::cell::RefCell;
use std::rc::Rc;

/// How often the function is killed; `LANDFALL_KILLS` asks for more.
const KILLS: u32 = 12;
/// Namespaces that live at the same time; `LANDFALL_STAGES` asks for others.
const STAGES: u32 = 4;
/// Releases of one namespace.
const RELEASES: u32 = 6;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes half a minute; make conformance runs it"]
async fn no_kill_leaves_a_release_half_done() {
    let kills = asked("LANDFALL_KILLS", KILLS);
    let tally = Rc::new(RefCell::new(Tally::default()));
    let goes_on = {
        let tally = Rc::clone(&tally);
        move || tally.borrow().kills < kills
    };
    let lives = {
        let tally = Rc::clone(&tally);
        move |draw| live(draw, kills, Rc::clone(&tally))
    };
    let failures = in_namespaces(STAGES, goes_on, lives).await;
    println!("{}", tally.borrow().words());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// One namespace, from its first release on.
async fn live(draw: Draw, kills: u32, tally: Rc<RefCell<Tally>>) {
    let mut life = Life::begin(draw, tally).await;
    for number in 0..RELEASES {
        // The last one is left alone: it must find everything in order.
        let last = number + 1 == RELEASES || life.tally.borrow().kills >= kills;
        life.deploy(last).await;
        if last {
            break;
        }
    }
}
