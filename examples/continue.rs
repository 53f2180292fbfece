//! Continuing a simulation with other parameters: a cortical column is driven harder and harder, and the frequency of its
//! rhythm is measured at each level, starting from where the last one ended.
//!
//! `cargo run --release --example continue`

use nullcline::compiler::template::library::FileLibrary;
use nullcline::runtime::observe::{frequency, peak_to_peak};
use nullcline::{Error, Literal, Model};

fn main() -> Result<(), Error> {
    let mut model = Model::load(&FileLibrary::new(), "templates/jansen_rit.yaml", None)?;
    model.settings.dt = Some(1e-4);
    let mut session = model.session()?;
    println!("   p   frequency  swing (mV)");
    for p in [120.0, 150.0, 180.0, 220.0, 260.0, 300.0] {
        session.set("p", &Literal::from(p))?;
        // Let the transient die out, then record ten seconds, a row per millisecond.
        session.advance(50_000)?;
        let (mut times, mut psp) = (Vec::new(), Vec::new());
        for _ in 0..10_000 {
            times.push(session.time());
            psp.push(session.observe()?[0]);
            session.advance(10)?;
        }
        let frequency = frequency(&times, &psp).map_or("-".to_string(), |f| format!("{f:.3}"));
        let swing = peak_to_peak(&psp).unwrap_or(0.0);
        println!("{p:4}   {frequency:>9}  {swing:10.3}");
    }
    Ok(())
}
