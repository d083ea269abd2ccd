// What all panels have in common, so that a dashboard's file says only what it
// shows. Widths are columns of 24.

import * as heatmaps from '@grafana/grafana-foundation-sdk/heatmap';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stats from '@grafana/grafana-foundation-sdk/stat';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import {
  BigValueColorMode, BigValueGraphMode, GraphDrawStyle, LegendDisplayMode, LegendPlacement,
  LineInterpolation, ReduceDataOptionsBuilder, ScaleDistribution, ScaleDistributionConfigBuilder,
  SortOrder, StackingConfigBuilder, StackingMode, TooltipDisplayMode, VisibilityMode,
  VizLegendOptionsBuilder, VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder, FieldColorModeId, Panel, ThresholdsConfigBuilder, ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';

export const SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** What a panel asks, and how its lines are called. */
export type Query = [expr: string, legend: string];

export interface Shown {
  title: string;
  /** What it says and what good looks like. */
  description: string;
  unit: string;
  queries: Query[];
  width?: number;
  height?: number;
  decimals?: number;
  max?: number;
  /** From which value on it is yellow, then red; with a third value `below`, up to which. */
  warn?: [yellow: number, red: number] | [yellow: number, red: number, 'below'];
}

export interface Lines extends Shown {
  style?: 'line' | 'area' | 'bars';
  /** Names of lines and their fixed colours: a state has one colour everywhere. */
  colours?: Record<string, string>;
  /** Lines drawn dashed: limits. */
  limits?: string[];
}

/** One colour a state, on every dashboard. */
export const STATE: Record<string, string> = {
  queued: '#8e8e8e', ready: '#8e8e8e', idle: '#6ed0a8', loading: '#b877d9', away: '#5a5a5a',
  busy: '#5794f2', proving: '#5794f2', 'in flight': '#5794f2', claimed: '#8ab8ff',
  retrying: '#ff9830', dead: '#e02f44', proved: '#73bf69', ok: '#73bf69', error: '#f2495c',
  submitted: '#f2cc0c', inner: '#5794f2', outer: '#b877d9', root: '#b877d9', verifier: '#6ed0a8',
};

function targets(shown: Shown, format?: prometheus.PromQueryFormat) {
  return shown.queries.map(([expr, legend], index) => {
    const query = new prometheus.DataqueryBuilder()
      .datasource(SOURCE).expr(expr).legendFormat(legend)
      .refId(String.fromCharCode(65 + index)).range();
    return format === undefined ? query : query.format(format);
  });
}

function thresholds(shown: Shown) {
  const [yellow, red, below] = shown.warn ?? [];
  const steps: { value: number | null; color: string }[] = [{ value: null, color: 'green' }];
  if (yellow !== undefined && red !== undefined) {
    if (below) {
      steps[0] = { value: null, color: 'red' };
      steps.push({ value: red, color: 'yellow' }, { value: yellow, color: 'green' });
    } else {
      steps.push({ value: yellow, color: 'yellow' }, { value: red, color: 'red' });
    }
  }
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

/** One number, as it is now, over a sparkline. */
export function stat(shown: Shown): Panel {
  const panel = new stats.PanelBuilder()
    .title(shown.title).description(shown.description).datasource(SOURCE)
    .unit(shown.unit).noValue('–')
    .thresholds(thresholds(shown))
    .colorMode(shown.warn ? BigValueColorMode.Value : BigValueColorMode.None)
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .targets(targets(shown))
    .gridPos({ x: 0, y: 0, w: shown.width ?? 4, h: shown.height ?? 4 });
  if (shown.decimals !== undefined) panel.decimals(shown.decimals);
  return panel.build();
}

/** Values over time. */
export function lines(shown: Lines): Panel {
  const style = shown.style ?? 'line';
  const panel = new timeseries.PanelBuilder()
    .title(shown.title).description(shown.description).datasource(SOURCE)
    .unit(shown.unit).min(0).noValue('–')
    .thresholds(thresholds(shown))
    .drawStyle(style === 'bars' ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .lineInterpolation(style === 'area' ? LineInterpolation.StepAfter : LineInterpolation.Linear)
    // Over a stack, lines of what is 0 would cover those below.
    .lineWidth(style === 'line' ? 2 : 0)
    .fillOpacity({ line: 0, area: 70, bars: 80 }[style])
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder()
      .mode(style === 'line' ? StackingMode.None : StackingMode.Normal).group('A'))
    .legend(new VizLegendOptionsBuilder().showLegend(true)
      .displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).calcs([]))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(targets(shown))
    .gridPos({ x: 0, y: 0, w: shown.width ?? 12, h: shown.height ?? 8 });
  if (shown.max !== undefined) panel.max(shown.max);
  if (shown.decimals !== undefined) panel.decimals(shown.decimals);
  for (const [name, colour] of Object.entries(shown.colours ?? {})) {
    panel.overrideByRegexp(`/^(.* )?${name}$/`, [
      { id: 'color', value: { mode: 'fixed', fixedColor: colour } },
    ]);
  }
  for (const name of shown.limits ?? []) {
    panel.overrideByName(name, [
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } },
      { id: 'custom.stacking', value: { mode: 'none', group: 'limits' } },
      { id: 'custom.fillOpacity', value: 0 },
    ]);
  }
  return panel.build();
}

/** A histogram's buckets over time. */
export function heat(shown: Shown): Panel {
  return new heatmaps.PanelBuilder()
    .title(shown.title).description(shown.description).datasource(SOURCE)
    .unit(shown.unit).noValue('–')
    .thresholds(thresholds(shown))
    .calculate(false).cellGap(1).showLegend()
    .color(new heatmaps.HeatmapColorOptionsBuilder()
      .mode(heatmaps.HeatmapColorMode.Scheme).scheme('Blues').fill('blue').exponent(0.5).steps(64)
      .reverse(false).scale(heatmaps.HeatmapColorScale.Exponential))
    .yAxis(new heatmaps.YAxisConfigBuilder().unit(shown.unit))
    .scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Linear))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic))
    .targets(targets(shown, prometheus.PromQueryFormat.Heatmap))
    .gridPos({ x: 0, y: 0, w: shown.width ?? 12, h: shown.height ?? 8 })
    .build();
}
