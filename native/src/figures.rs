//! The report's figures, as SVG whose colours are the page's: every colour drawn here is a marker
//! that the page's style sheet replaces, so that one figure serves a light and a dark page.

use std::ops::Range;

use anyhow::{Result, anyhow};
use plotters::{
    coord::ranged1d::{AsRangedCoord, ValueFormatter},
    prelude::*,
    style::text_anchor,
};

/// Width and height of a figure, in pixels.
const SIZE: (u32, u32) = (560, 360);
/// Colours that a series can have; the page defines `--s0` … `--s7`.
pub const SERIES_COLORS: u8 = 8;

/// Text, axes.
const INK: RGBColor = RGBColor(1, 0, 0);
/// Grid lines.
const RULE: RGBColor = RGBColor(2, 0, 0);

/// The colour of series `index` out of `count`, spread over all that there are.
fn color(index: usize, count: usize) -> RGBColor {
    let last = usize::from(SERIES_COLORS) - 1;
    let slot = if count < 2 { 0 } else { (index * last + (count - 1) / 2) / (count - 1) };
    RGBColor(3, slot as u8, 0)
}

/// The colours of the page and its figures, light and dark, and the rules that turn markers into them.
pub fn style() -> String {
    let rule = |marker: RGBColor, variable: &str| {
        let RGBColor(r, g, b) = marker;
        let hex = format!("#{r:02X}{g:02X}{b:02X}");
        format!("svg [fill=\"{hex}\"]{{fill:var({variable})}}svg [stroke=\"{hex}\"]{{stroke:var({variable})}}")
    };
    let series = (0..SERIES_COLORS).map(|i| rule(RGBColor(3, i, 0), &format!("--s{i}")));
    let rules = [rule(INK, "--ink"), rule(RULE, "--rule")].into_iter().chain(series);
    include_str!("palette.css").to_owned() + &rules.collect::<String>()
}

/// An SVG element of [`Figure::svg`] as a file of its own, which follows its reader's light or dark.
pub fn standalone(svg: &str) -> String {
    let (width, height) = SIZE;
    let size = format!("width=\"{width}\" height=\"{height}\" style=\"background:var(--paper)\"");
    let svg = svg.replacen("width=\"100%\"", &size, 1);
    match svg.split_once('>') {
        Some((head, rest)) => format!("{head}><style>{}</style>{rest}", style()),
        None => svg,
    }
}

/// The mean of curves at each measurement, as long as the shortest.
pub fn mean_curve(curves: &[Vec<f64>]) -> Vec<f64> {
    let length = curves.iter().map(Vec::len).min().unwrap_or(0);
    (0..length).map(|i| curves.iter().map(|c| c[i]).sum::<f64>() / curves.len() as f64).collect()
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A line.
    Line,
    /// A dashed line.
    Dashed,
    /// Dots only.
    Dots,
    /// A line through dots.
    LineAndDots,
}

/// One series of a figure.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name in the legend; empty for none.
    pub name: String,
    /// Its colour: which of how many; the text's if none.
    pub color: Option<(usize, usize)>,
    /// How it is drawn.
    pub mark: Mark,
    /// Points; those that are not finite (or not positive on a logarithmic axis) are left out.
    pub points: Vec<(f64, f64)>,
}

/// A figure with a logarithmic x axis.
#[derive(Clone)]
pub struct Figure {
    /// Label of the x axis.
    pub x: String,
    /// Label of the y axis.
    pub y: String,
    /// Whether y is logarithmic too.
    pub log_y: bool,
    /// What is drawn, later over earlier.
    pub series: Vec<Series>,
    /// A vertical line with a label.
    pub marker: Option<(f64, String)>,
    /// Where nothing is drawn, for the legend.
    pub legend: SeriesLabelPosition,
}

impl Default for Figure {
    fn default() -> Self {
        let legend = SeriesLabelPosition::LowerRight;
        let (x, y) = (String::new(), String::new());
        Self { x, y, log_y: false, series: Vec::new(), marker: None, legend }
    }
}

impl Figure {
    /// The figure as an SVG element; `None` if it has no point to show.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn svg(&self) -> Result<Option<String>> {
        let points = || self.series.iter().flat_map(|s| self.visible(s));
        let xs = points().map(|p| p.0).chain(self.marker.as_ref().map(|m| m.0));
        let (Some(x), Some(y)) = (span(xs), span(points().map(|p| p.1))) else { return Ok(None) };
        let x = (x.0 / 1.1)..(x.1 * 1.1);
        let mut svg = String::new();
        let ticks = ticks(&x);
        let x = x.log_scale().with_key_points(ticks);
        if self.log_y {
            let y = (y.0 / 1.3)..(y.1 * 1.3);
            let ticks = self::ticks(&y);
            self.draw(&mut svg, x, y.log_scale().with_key_points(ticks), &|v| power(*v))?;
        } else {
            let margin = ((y.1 - y.0) * 0.06).max(0.002);
            let digits = if y.1 - y.0 < 0.05 { 3 } else { 2 };
            self.draw(&mut svg, x, (y.0 - margin)..(y.1 + margin), &|v| format!("{v:.digits$}"))?;
        }
        Ok(Some(responsive(&svg)))
    }

    /// The points of a series that the axes can show.
    fn visible(&self, series: &Series) -> Vec<(f64, f64)> {
        let floor = if self.log_y { f64::MIN_POSITIVE } else { f64::MIN };
        let seen = |p: &&(f64, f64)| p.0 > 0.0 && p.0.is_finite() && p.1.is_finite() && p.1 >= floor;
        series.points.iter().filter(seen).copied().collect()
    }

    fn draw<X, Y>(&self, svg: &mut String, x: X, y: Y, y_label: &dyn Fn(&f64) -> String) -> Result<()>
    where
        X: AsRangedCoord<Value = f64>,
        Y: AsRangedCoord<Value = f64>,
        X::CoordDescType: ValueFormatter<f64>,
        Y::CoordDescType: ValueFormatter<f64>,
    {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let text = |size: i32| ("sans-serif", size).into_font().color(&INK);
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(44)
            .y_label_area_size(58)
            .build_cartesian_2d(x, y)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(RULE.mix(0.0))
            .bold_line_style(RULE)
            .axis_style(INK)
            .label_style(text(13))
            .axis_desc_style(text(14))
            .x_desc(self.x.as_str())
            .y_desc(self.y.as_str())
            .x_labels(8)
            .y_labels(6)
            .x_label_formatter(&|v| power(*v))
            .y_label_formatter(y_label)
            .draw()
            .map_err(failed)?;
        for s in &self.series {
            let color = s.color.map_or(INK, |(index, count)| color(index, count));
            let seen = self.visible(s);
            let line = color.stroke_width(2);
            match s.mark {
                Mark::Line | Mark::LineAndDots => drawn(chart.draw_series(LineSeries::new(seen.clone(), line)))?,
                Mark::Dashed => drawn(chart.draw_series(DashedLineSeries::new(seen.clone(), 6, 4, line)))?,
                Mark::Dots => {}
            }
            let dots = matches!(s.mark, Mark::Dots | Mark::LineAndDots);
            let circles = seen.iter().filter(|_| dots).map(|&p| Circle::new(p, 4, color.filled()));
            let series = chart.draw_series(circles).map_err(failed)?;
            if !s.name.is_empty() {
                let mark = s.mark;
                series.label(s.name.as_str()).legend(move |(x, y)| match mark {
                    Mark::Dots => Circle::new((x + 9, y), 4, color.filled()).into_dyn(),
                    Mark::Dashed => {
                        plotters::element::DashedPathElement::new([(x, y), (x + 18, y)], 4, 3, line).into_dyn()
                    }
                    Mark::Line | Mark::LineAndDots => PathElement::new([(x, y), (x + 18, y)], line).into_dyn(),
                });
            }
        }
        if let Some((at, label)) = &self.marker {
            let (x0, _) = chart.backend_coord(&(*at, chart.y_range().start));
            let rows = chart.plotting_area().get_pixel_range().1;
            let ends = vec![(x0, rows.start), (x0, rows.end)];
            root.draw(&PathElement::new(ends, INK.stroke_width(1))).map_err(failed)?;
            let style = text(13).pos(text_anchor::Pos::new(text_anchor::HPos::Right, text_anchor::VPos::Top));
            root.draw(&Text::new(label.as_str(), (x0 - 5, rows.start + 3), style)).map_err(failed)?;
        }
        if self.series.iter().any(|s| !s.name.is_empty()) {
            chart
                .configure_series_labels()
                .position(self.legend.clone())
                .label_font(text(13))
                .border_style(TRANSPARENT)
                .draw()
                .map_err(failed)?;
        }
        root.present().map_err(failed)
    }
}

fn failed(e: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("a figure cannot be drawn: {e}")
}

fn drawn<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<()> {
    result.map(|_| ()).map_err(failed)
}

/// Where a logarithmic axis is labelled: at powers of ten, and where these are fewer than three also at 2 and 5 times them, or at all
/// their multiples.
fn ticks(range: &Range<f64>) -> Vec<f64> {
    const MULTIPLES: [&[f64]; 3] = [&[1.0], &[1.0, 2.0, 5.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]];
    let (first, last) = (range.start.log10().floor() as i32, range.end.log10().ceil() as i32);
    let all = |multiples: &[f64]| -> Vec<f64> {
        let within = |v: &f64| (range.start * (1.0 - 1e-9)..=range.end * (1.0 + 1e-9)).contains(v);
        (first..=last).flat_map(|e| multiples.iter().map(move |m| m * 10_f64.powi(e))).filter(within).collect()
    };
    let candidates = MULTIPLES.map(all);
    let [_, _, finest] = &candidates;
    candidates.iter().find(|ticks| ticks.len() >= 3).unwrap_or(finest).clone()
}

/// Least and largest value; `None` of nothing.
fn span(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |s: Option<(f64, f64)>, v| Some(s.map_or((v, v), |(low, high)| (low.min(v), high.max(v)))))
}

/// A label for a logarithmic axis: plain from 0.001 to 10 000, else as a power of ten.
fn power(v: f64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    if (9e-4..2e4).contains(&v) {
        return format!("{}", (v * 1e6).round() / 1e6);
    }
    let exponent = v.log10().floor() as i32;
    let mantissa = v / 10_f64.powi(exponent);
    let raised: String =
        exponent.abs().to_string().chars().filter_map(|c| DIGITS.get(c.to_digit(10)? as usize)).collect();
    let sign = if exponent < 0 { "⁻" } else { "" };
    if (mantissa - 1.0).abs() < 1e-6 { format!("10{sign}{raised}") } else { format!("{mantissa:.0}·10{sign}{raised}") }
}

/// The SVG scaled by its container instead of by its pixels.
fn responsive(svg: &str) -> String {
    let (width, height) = SIZE;
    svg.replacen(&format!("width=\"{width}\" height=\"{height}\""), "role=\"img\" width=\"100%\"", 1)
}
