//! Draws the comparison of fleets: one SVG with two panels.

use plotters::{chart::SeriesLabelPosition, prelude::*};

use crate::{plan::Row, simulation::Sample};

/// Width and height in pixels.
const SIZE: (u32, u32) = (1100, 860);
const BLUE: RGBColor = RGBColor(0x1f, 0x6f, 0xb2);
const PALE: RGBColor = RGBColor(0x8d, 0xbc, 0xe0);
const ORANGE: RGBColor = RGBColor(0xd9, 0x6b, 0x0b);
const GREY: RGBColor = RGBColor(0xb8, 0xbd, 0xc4);
const GREEN: RGBColor = RGBColor(0x2b, 0x8a, 0x4b);
const FONT: &str = "sans-serif";

/// Why a picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw the plan: {0}")]
pub struct PictureError(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for PictureError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self(error.to_string())
    }
}

/// Draws latency and cost by fleet size, and below them the jobs and the pods
/// of the largest fleet over time. Returns the SVG's text.
///
/// # Errors
/// Fails if `rows` or `course` is empty.
pub fn draw(rows: &[Row], course: &[Sample]) -> Result<String, PictureError> {
    if rows.is_empty() || course.is_empty() {
        return Err(PictureError("nothing was simulated".to_owned()));
    }
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (upper, lower) = root.split_vertically(SIZE.1 / 2);
        by_size(&upper, rows)?;
        over_time(&lower, course)?;
        root.present()?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn by_size(area: &Area<'_>, rows: &[Row]) -> Result<(), PictureError> {
    let points = |of: fn(&Row) -> Option<f64>| {
        rows.iter()
            .filter(|row| !row.falls_behind)
            .filter_map(move |row| Some((row.fleet, of(row)?)))
            .collect::<Vec<(u32, f64)>>()
    };
    let p50 = points(|row| row.latency_p50_s.map(|s| s / 60.0));
    let p95 = points(|row| row.latency_p95_s.map(|s| s / 60.0));
    let cost = points(|row| row.cost_per_rollup);
    let top = |all: &[(u32, f64)]| 1.1 * all.iter().map(|(_, y)| *y).fold(1e-3, f64::max);
    let sizes = 0..rows.iter().map(|row| row.fleet).max().unwrap_or(1) + 1;
    let mut chart = ChartBuilder::on(area)
        .caption("What a fleet of this size buys", (FONT, 20))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(64)
        .right_y_label_area_size(64)
        .build_cartesian_2d(sizes.clone(), 0.0..top(&p95))?
        .set_secondary_coord(sizes, 0.0..top(&cost));
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("most inner workers (sizes that fall behind are left out)")
        .y_desc("minutes from wanted to settled")
        .y_label_formatter(&|minutes| format!("{minutes:.0}"))
        .x_labels(17)
        .label_style((FONT, 14))
        .draw()?;
    chart
        .configure_secondary_axes()
        .y_desc("cost of a rollup")
        .y_label_formatter(&|cost| format!("{cost:.0}"))
        .label_style((FONT, 14))
        .draw()?;
    for (name, colour, points) in [("latency p95", PALE, p95), ("latency p50", BLUE, p50)] {
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(3)))?
            .label(name)
            .legend(legend(colour, 3));
    }
    chart
        .draw_secondary_series(LineSeries::new(cost, ORANGE.stroke_width(2)))?
        .label("cost of a rollup (right)")
        .legend(legend(ORANGE, 2));
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.9))
        .label_font((FONT, 14))
        .draw()?;
    Ok(())
}

fn over_time(area: &Area<'_>, course: &[Sample]) -> Result<(), PictureError> {
    let minutes = |sample: &Sample| sample.at_ms as f64 / 60_000.0;
    let highest = |sample: &Sample| sample.outstanding.max(sample.replicas).max(sample.ready);
    let top = course.iter().map(highest).max().unwrap_or(1);
    let (first, last) = (minutes(&course[0]), minutes(&course[course.len() - 1]));
    let mut chart = ChartBuilder::on(area)
        .caption("The fleet under its autoscaler", (FONT, 20))
        .margin(12)
        .margin_right(76)
        .x_label_area_size(42)
        .y_label_area_size(64)
        .build_cartesian_2d(first..last.max(first + 1.0), 0..top + top / 2 + 1)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("minutes")
        .y_desc("inner jobs, pods")
        .x_label_formatter(&|minutes| format!("{minutes:.0}"))
        .label_style((FONT, 14))
        .draw()?;
    let steps = |of: fn(&Sample) -> u32| stairs(course, of);
    let outstanding = steps(|sample| sample.outstanding);
    chart
        .draw_series(AreaSeries::new(outstanding, 0, GREY.mix(0.5)))?
        .label("jobs queued or proving")
        .legend(|(x, y)| Rectangle::new([(x, y - 5), (x + 18, y + 5)], GREY.mix(0.5).filled()));
    for (name, colour, points) in [
        (
            "replicas asked for",
            ORANGE,
            steps(|sample| sample.replicas),
        ),
        ("pods ready", BLUE, steps(|sample| sample.ready)),
        ("pods proving", GREEN, steps(|sample| sample.busy)),
    ] {
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(name)
            .legend(legend(colour, 2));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.9))
        .label_font((FONT, 14))
        .draw()?;
    Ok(())
}

/// The line of values that stay constant until the next sample.
fn stairs(course: &[Sample], of: fn(&Sample) -> u32) -> Vec<(f64, u32)> {
    let mut points: Vec<(f64, u32)> = Vec::with_capacity(2 * course.len());
    for sample in course {
        let (at, value) = (sample.at_ms as f64 / 60_000.0, of(sample));
        match points.last() {
            Some((_, before)) if *before == value => continue,
            Some((_, before)) => points.push((at, *before)),
            None => {}
        }
        points.push((at, value));
    }
    if let (Some((_, value)), Some(last)) = (points.last().copied(), course.last()) {
        points.push((last.at_ms as f64 / 60_000.0, value));
    }
    points
}

/// The short coloured line beside a name in the legend.
fn legend(colour: RGBColor, width: u32) -> impl Fn((i32, i32)) -> PathElement<(i32, i32)> {
    move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hpa, Setup, plan, trace::Description};

    #[test]
    fn a_plan_is_drawn_with_its_axes_and_all_its_lines() {
        let described = Description {
            rollups_per_hour: 2.0,
            inners: 8,
            inner_s: 60.0,
            root_s: 10.0,
            verifier_s: 5.0,
            hours: 2.0,
            ..Description::default()
        };
        let trace = described.trace().unwrap();
        let setup = Setup::new(Hpa::default());
        let rows = plan::sizes(&setup, &trace, &[1, 2, 4, 8], 2.0);
        let course = crate::simulate(&setup, &trace).course;
        let svg = draw(&rows, &course).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for text in [
            "latency p50",
            "latency p95",
            "cost of a rollup",
            "pods proving",
            "minutes",
        ] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(svg.matches("<polyline").count() >= 6);
        assert!(draw(&[], &course).is_err() && draw(&rows, &[]).is_err());
    }

    #[test]
    fn a_value_holds_until_the_next_sample() {
        let course = [(0, 1), (60_000, 1), (120_000, 4), (180_000, 4)];
        let course = course.map(|(at_ms, replicas)| Sample {
            at_ms,
            replicas,
            ..Sample::default()
        });
        let steps = stairs(&course, |sample| sample.replicas);
        assert_eq!(steps, [(0.0, 1), (2.0, 1), (2.0, 4), (3.0, 4)]);
    }
}
