//! The three shapes of a figure, and how each gets its bounds.
//!
//! A ratio of sums over cases (most of them plain means), a statistic of all cases together (F1 averages, kappa,
//! quantiles), or a number without uncertainty (totals). Means have intervals by formula; all else is bootstrapped, the
//! figures of one metric from the same draws.

use std::collections::BTreeSet;
use std::mem;

use super::Bounds;
use super::run::{Cases, Seen};
use crate::evals::measure::{Better, Measure, Method};
use crate::evals::stats::bootstrap::{Sample, percentile};
use crate::evals::stats::mean::{Estimate, clustered};
use crate::evals::stats::{Interval, Uncertain, real};

/// What one case adds to a ratio, its epochs averaged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// The case, by its place among those that were seen.
    pub case: usize,
    /// Its cluster.
    pub cluster: usize,
    /// What it adds above the line.
    pub over: f64,
    /// What it adds below; above 0.
    pub under: f64,
}

/// A sum over cases divided by another.
#[derive(Debug)]
pub(super) struct Ratio {
    pub name: String,
    pub better: Better,
    /// The case alone decides what it adds below the line, not the answer: runs can be compared case by case.
    pub by_case: bool,
    /// Where a case's value can be at all.
    pub range: Option<Interval>,
    pub parts: Vec<Part>,
}

/// A figure that is no ratio of sums, or several that are computed together.
pub(super) trait Statistic: Sync {
    /// Their names and which way is better.
    fn names(&self) -> Vec<(String, Better)>;

    /// Their values where each cluster counts as often as `counts` says, in the order of the names.
    fn values(&self, counts: &[u32], out: &mut [Option<f64>]);
}

/// A statistic and the names of its figures in full.
struct Named {
    names: Vec<(String, Better)>,
    statistic: Box<dyn Statistic>,
}

/// A figure as a function of how often each cluster counts.
pub(super) type Function<'a> = Box<dyn Fn(&[u32]) -> Option<f64> + Sync + 'a>;

/// Figures of one metric.
pub(super) struct Found {
    metric: String,
    ratios: Vec<Ratio>,
    statistics: Vec<Named>,
    plain: Vec<(String, Better, f64)>,
}

impl Found {
    /// None yet, of this metric; of none: those of a run as a whole.
    pub fn named(metric: &str) -> Self {
        Self { metric: metric.to_owned(), ratios: Vec::new(), statistics: Vec::new(), plain: Vec::new() }
    }

    /// A share: the mean of a value in 0..=1 that each case has whatever the answer.
    pub fn share<T>(&mut self, figure: &str, better: Better, seen: &[Seen<T>], value: impl Fn(&T) -> f64) {
        self.ratio(figure, better, (true, Some(Interval::SHARE)), seen, |epoch| (value(epoch), 1.0));
    }

    /// The mean of a quantity that each case has.
    pub fn mean<T>(&mut self, figure: &str, better: Better, seen: &[Seen<T>], value: impl Fn(&T) -> f64) {
        self.ratio(figure, better, (true, None), seen, |epoch| (value(epoch), 1.0));
    }

    /// A share among what the answers chose: above the line and below it.
    pub fn part<T>(&mut self, figure: &str, better: Better, seen: &[Seen<T>], value: impl Fn(&T) -> (f64, f64)) {
        self.ratio(figure, better, (false, Some(Interval::SHARE)), seen, value);
    }

    fn ratio<T>(
        &mut self,
        figure: &str,
        better: Better,
        (by_case, range): (bool, Option<Interval>),
        seen: &[Seen<T>],
        value: impl Fn(&T) -> (f64, f64),
    ) {
        let part = |seen: &Seen<T>| {
            let (over, under) = seen.epochs.iter().map(&value).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
            let epochs = real(seen.epochs.len());
            let part = Part { case: seen.case, cluster: seen.cluster, over: over / epochs, under: under / epochs };
            (part.over.is_finite() && part.under > 0.0).then_some(part)
        };
        let parts: Vec<Part> = seen.iter().filter_map(part).collect();
        if !parts.is_empty() {
            self.ratios.push(Ratio { name: self.name(figure), better, by_case, range, parts });
        }
    }

    /// Figures that are computed together, of the metric or of a part of it.
    pub fn statistic(&mut self, part: &str, statistic: impl Statistic + 'static) {
        let names = statistic.names().into_iter().map(|(figure, better)| {
            let figure = if part.is_empty() { figure } else { format!("{part}.{figure}") };
            (self.name(&figure), better)
        });
        self.statistics.push(Named { names: names.collect(), statistic: Box::new(statistic) });
    }

    /// A number without uncertainty.
    pub fn plain(&mut self, figure: &str, better: Better, value: f64) {
        if value.is_finite() {
            self.plain.push((self.name(figure), better, value));
        }
    }

    fn name(&self, figure: &str) -> String {
        match (self.metric.as_str(), figure) {
            ("", figure) => figure.to_owned(),
            (metric, "") => metric.to_owned(),
            (metric, figure) => format!("{metric}.{figure}"),
        }
    }

    /// The ratio of this name.
    pub fn find_ratio(&self, name: &str) -> Option<&Ratio> {
        self.ratios.iter().find(|ratio| ratio.name == name)
    }

    /// Which way is better, and the figure as a function of how often each cluster counts.
    pub fn function(&self, name: &str) -> Option<(Better, Function<'_>)> {
        if let Some(ratio) = self.find_ratio(name) {
            return Some((ratio.better, Box::new(|counts| ratio.value(counts))));
        }
        self.statistics.iter().find_map(|Named { names, statistic }| {
            let at = names.iter().position(|(own, _)| own == name)?;
            let value = move |counts: &[u32]| {
                let mut values = vec![None; names.len()];
                statistic.values(counts, &mut values);
                values[at]
            };
            Some((names[at].1, Box::new(value) as Box<_>))
        })
    }

    /// The figures with their bounds.
    pub fn measures<T>(&self, cases: &Cases<'_, T>, bounds: Bounds, seed: u64) -> Vec<(String, Measure)> {
        let (means, drawn): (Vec<&Ratio>, Vec<&Ratio>) = self.ratios.iter().partition(|ratio| ratio.is_mean());
        let of_means = means.into_iter().filter_map(|mean| Some((mean.name.clone(), mean.measure(cases, bounds)?)));
        let plain = self
            .plain
            .iter()
            .map(|(name, better, value)| (name.clone(), measure(*value, *better, Size::of(cases), cases)));
        of_means.chain(plain).chain(self.drawn(&drawn, cases, bounds, seed)).collect()
    }

    /// The figures that have their bounds from a bootstrap.
    fn drawn<T>(&self, ratios: &[&Ratio], cases: &Cases<'_, T>, bounds: Bounds, seed: u64) -> Vec<(String, Measure)> {
        let of_statistics = self.statistics.iter().flat_map(|named| &named.names);
        let of_statistics = of_statistics.map(|(name, better)| (name.clone(), *better, Size::of(cases)));
        let of_ratios = ratios.iter().map(|ratio| (ratio.name.clone(), ratio.better, ratio.size()));
        let names: Vec<(String, Better, Size)> = of_ratios.chain(of_statistics).collect();
        let values = |counts: &[u32], out: &mut [Option<f64>]| {
            let (of_ratios, mut of_statistics) = out.split_at_mut(ratios.len());
            for (ratio, out) in ratios.iter().zip(of_ratios) {
                *out = ratio.value(counts);
            }
            for Named { names, statistic } in &self.statistics {
                let (own, others) = mem::take(&mut of_statistics).split_at_mut(names.len());
                statistic.values(counts, own);
                of_statistics = others;
            }
        };
        let sample = Sample { cases: cases.seen.len(), clusters: cases.clusters.len(), seed, draws: bounds.draws };
        let found = percentile(sample, names.len(), values);
        let figures = names.into_iter().zip(found).filter_map(|((name, better, size), figure)| {
            let figure = figure?;
            let bare = measure(figure.value(), better, size, cases);
            Some((name, bounded(bare, Method::Bootstrap, figure.interval(bounds.level))))
        });
        figures.collect()
    }
}

impl Ratio {
    /// Its value where each cluster counts as often as `counts` says.
    fn value(&self, counts: &[u32]) -> Option<f64> {
        let (over, under) = self.parts.iter().fold((0.0, 0.0), |(over, under), part| {
            let times = f64::from(counts[part.cluster]);
            (over + times * part.over, under + times * part.under)
        });
        (under > 0.0).then(|| over / under)
    }

    /// It is a plain mean over its cases.
    pub fn is_mean(&self) -> bool {
        self.parts.iter().all(|part| (part.under - 1.0).abs() < f64::EPSILON)
    }

    /// Every case is right or wrong, and nothing between.
    fn is_proportion(&self) -> bool {
        self.range == Some(Interval::SHARE) && self.parts.iter().all(|part| part.over <= 0.0 || part.over >= 1.0)
    }

    pub fn estimate(&self, clusters: &[&str]) -> Option<Estimate> {
        let values: Vec<(f64, &str)> = self.parts.iter().map(|part| (part.over, clusters[part.cluster])).collect();
        clustered(&values, self.range)
    }

    fn measure<T>(&self, cases: &Cases<'_, T>, bounds: Bounds) -> Option<Measure> {
        let mean = self.estimate(&cases.clusters)?;
        let (method, interval) = match (self.is_proportion(), bounds.exact) {
            (true, true) => (Method::ClopperPearson, mean.clopper_pearson(bounds.level)),
            (true, false) => (Method::Wilson, mean.wilson(bounds.level)),
            (false, _) => (Method::Mean, mean.interval(bounds.level)),
        };
        let size = Size { scored: mean.cases(), clusters: mean.clusters() };
        let design_effect = mean.design_effect().filter(|_| size.clusters < size.scored);
        let bare = Measure { design_effect, ..measure(mean.value(), self.better, size, cases) };
        Some(bounded(bare, method, interval))
    }

    fn size(&self) -> Size {
        let clusters: BTreeSet<usize> = self.parts.iter().map(|part| part.cluster).collect();
        Size { scored: self.parts.len(), clusters: clusters.len() }
    }
}

/// How much a figure is made of.
#[derive(Debug, Clone, Copy)]
struct Size {
    scored: usize,
    clusters: usize,
}

impl Size {
    fn of<T>(cases: &Cases<'_, T>) -> Self {
        Self { scored: cases.seen.len(), clusters: cases.clusters.len() }
    }
}

/// A figure without bounds.
fn measure<T>(value: f64, better: Better, size: Size, cases: &Cases<'_, T>) -> Measure {
    let Size { scored, clusters } = size;
    let (low, high, method, total) = (None, None, Method::None, cases.total);
    Measure { value, low, high, method, scored, total, clusters, design_effect: None, better }
}

fn bounded(measure: Measure, method: Method, interval: Option<Interval>) -> Measure {
    match interval {
        Some(Interval { low, high }) => Measure { low: Some(low), high: Some(high), method, ..measure },
        None => measure,
    }
}
