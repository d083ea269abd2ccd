//! A progress bar for one long step; hidden without a terminal.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zkwhirl_prover::Progress;

#[derive(Debug)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// Shows a bar at 0 %, with `name` in front.
    pub(crate) fn start(name: &str) -> Self {
        let target = if io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(1000), target);
        let style =
            ProgressStyle::with_template("{prefix}  {msg:8} {bar:20} {percent:>3} %  {elapsed}")
                .expect("the template is a constant that a test renders");
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏░"));
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    pub(crate) fn show(&self, progress: Progress) {
        self.at(progress.phase.name(), progress.fraction);
    }

    /// Moves to a step and its fraction, 0 to 1.
    pub(crate) fn at(&self, step: &'static str, fraction: f32) {
        self.0.set_message(step);
        self.0.set_position((fraction * 1000.0) as u64);
    }

    /// Shows a step of unknown duration.
    pub(crate) fn step(&self, what: &'static str) {
        self.0.set_message(what);
    }

    pub(crate) fn beside(&self, line: &str) {
        self.0.suspend(|| super::say(line));
    }

    pub(crate) fn finish(self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid() {
        Bar::start("test").finish();
    }
}
