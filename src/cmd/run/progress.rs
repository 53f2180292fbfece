//! The progress bar of a long run.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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
    match ProgressStyle::with_template("{wide_bar} {percent:>3}%  {human_pos} of {human_len} steps, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
