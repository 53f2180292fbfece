//! The progress bar of a long run.

use std::fmt::Write;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// A run that ends within this time shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows how far a run is, on a terminal and only when it takes long.
pub struct Progress {
    steps: u64,
    start: Instant,
    bar: Option<ProgressBar>,
    enabled: bool,
    /// Calls of [`Progress::update`] left until the clock is read again.
    countdown: u32,
    /// How many calls to leave out, from how fast they came.
    stride: u32,
    last: Instant,
}

impl Progress {
    /// For a run of so many steps.
    pub fn new(steps: u64, quiet: bool) -> Progress {
        let now = Instant::now();
        let enabled = !quiet && std::io::stderr().is_terminal();
        Progress { steps, start: now, bar: None, enabled, countdown: 1, stride: 1, last: now }
    }

    /// So many steps are done. Called up to once per step, so that reading the clock each time would cost more than a
    /// step of a small model.
    pub fn update(&mut self, done: u64) {
        if !self.enabled {
            return;
        }
        self.countdown -= 1;
        if self.countdown > 0 {
            return;
        }
        let now = Instant::now();
        let pause = now - self.last;
        if pause < Duration::from_millis(20) {
            self.stride = (self.stride * 2).min(1 << 20);
        } else if pause > Duration::from_millis(100) {
            self.stride = (self.stride / 2).max(1);
        }
        self.countdown = self.stride;
        self.last = now;
        if self.bar.is_none() && now - self.start > PATIENCE {
            self.bar = Some(bar(self.steps, now - self.start));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(steps: u64, elapsed: Duration) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr()).with_elapsed(elapsed);
    match ProgressStyle::with_template("{wide_bar} {percent:>3}%  {human_pos} of {human_len} steps, {left} left") {
        Ok(style) => bar.with_style(style.with_key("left", left)),
        Err(_) => bar,
    }
}

/// Time left at the pace so far. All steps cost the same, so the whole past is the best guess; the library's own looks at
/// the last seconds only.
fn left(state: &ProgressState, out: &mut dyn Write) {
    let (done, steps) = (state.pos().max(1), state.len().unwrap_or(0));
    let seconds = state.elapsed().as_secs_f64() * (steps.saturating_sub(done) as f64 / done as f64);
    // A line that cannot be drawn is no reason to stop. The clamp keeps the conversion from failing.
    let _ = write!(out, "{:#}", HumanDuration(Duration::from_secs_f64(seconds.min(1e12))));
}
