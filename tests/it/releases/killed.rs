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
use crate::kills::asked;
use crate::kills::draw::Draw;
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
    let seed = asked("LANDFALL_SEED", 1);
    let tally = Rc::new(RefCell::new(Tally::default()));
    let stages = tokio::task::LocalSet::new();
    for number in 0..asked("LANDFALL_STAGES", STAGES) {
        let tally = Rc::clone(&tally);
        stages.spawn_local(async move {
            let mut life = 0;
            while tally.borrow().kills < kills && tally.borrow().failures.len() < 5 {
                life += 1;
                let seed = u64::from(seed * 1_000_003 + number * 10_007 + life);
                let draw = Draw(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
                let lived = tokio::task::spawn_local(live(draw, kills, Rc::clone(&tally)));
                if let Err(problem) = lived.await {
                    let panic = problem.into_panic();
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.unwrap_or_else(|| "it panicked".into());
                    let mut tally = tally.borrow_mut();
                    tally.failures.push(format!("{number}.{life}: {text}"));
                }
            }
        });
    }
    stages.await;
    let tally = tally.borrow();
    println!("{}", tally.words());
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n\n"));
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
