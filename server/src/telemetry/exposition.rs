//! Writes metrics in Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write as _};

use crate::telemetry::primitives::Histogram;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Gauge,
    Counter,
    Histogram,
}

/// The text so far. Each family of samples follows its header.
#[derive(Debug, Default)]
pub(crate) struct Text {
    written: String,
    family: &'static str,
}

impl Text {
    /// Writes the header of a family. The samples that follow belong to it.
    pub(crate) fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        self.family = name;
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    pub(crate) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.suffixed("", labels, value);
    }

    pub(crate) fn histogram(&mut self, labels: &[(&str, &str)], histogram: &Histogram) {
        let observations = histogram.snapshot();
        for (bound, count) in histogram.cumulative(&observations) {
            let bound = bound.to_string();
            self.suffixed("_bucket", &[labels, &[("le", bound.as_str())]].concat(), count);
        }
        self.suffixed("_bucket", &[labels, &[("le", "+Inf")]].concat(), observations.count());
        self.suffixed("_sum", labels, observations.sum);
        self.suffixed("_count", labels, observations.count());
    }

    pub(crate) fn finish(self) -> String {
        self.written
    }

    fn suffixed(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let family = self.family;
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.line(format_args!("{family}{suffix}{labels} {value}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.written, "{line}");
    }
}

/// Escapes what would end the value of a label, or its line.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_holds_any_text_and_stays_on_its_line() {
        let mut text = Text::default();
        text.family("up", Kind::Gauge, "Whether it is up.");
        text.sample(&[("server", "a \"b\" \\ c\nd"), ("role", "web")], 1);
        assert_eq!(
            text.finish(),
            "# HELP up Whether it is up.\n# TYPE up gauge\n\
             up{server=\"a \\\"b\\\" \\\\ c\\nd\",role=\"web\"} 1\n"
        );
    }
}
