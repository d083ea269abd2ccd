// Charts as SVG, enough like Grafana's to judge a panel by: units, stacking,
// limits, thresholds, one colour a state.

import { Series } from './prometheus.js';

export interface Size { w: number; h: number }
export interface Line { name: string; points: Map<number, number>; colour: string; dashed: boolean }

const PALETTE = ['#73bf69', '#f2cc0c', '#5794f2', '#ff9830', '#b877d9', '#f2495c', '#8ab8ff', '#c0d8ff'];
const NAMED: Record<string, string> = { green: '#73bf69', yellow: '#f2cc0c', red: '#f2495c' };

export const escape = (text: string) => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A value in the unit of its panel. */
export function show(value: number, unit: string, decimals?: number): string {
  if (!Number.isFinite(value)) return '–';
  const round = (v: number, digits: number) => v.toFixed(decimals ?? digits).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
  const digits = (v: number) => (Math.abs(v) >= 100 ? 0 : Math.abs(v) >= 10 ? 1 : 2);
  switch (unit) {
    case 's':
      if (value !== 0 && Math.abs(value) < 1) return `${round(value * 1e3, digits(value * 1e3))} ms`;
      if (Math.abs(value) >= 120) return `${round(value / 60, 1)} min`;
      return `${round(value, digits(value))} s`;
    case 'percentunit': return `${round(value * 100, digits(value * 100))} %`;
    case 'bytes': {
      const power = Math.min(4, Math.floor(Math.log2(Math.max(1, Math.abs(value))) / 10));
      return `${round(value / 2 ** (10 * power), 1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
    }
    case 'reqps': return `${round(value, digits(value))}/s`;
    case 'currencyUSD': return `$${round(value, 2)}`;
    default: return round(value, digits(value));
  }
}

export function named(series: Series[], legend: string): { name: string; points: Map<number, number> }[] {
  return series.map(({ metric, values }) => ({
    name: legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ''),
    points: new Map(values.map(([time, value]) => [time, Number(value)])),
  }));
}

/** Colours of lines: those that the panel fixes, then the palette. */
export function coloured(lines: { name: string; points: Map<number, number> }[], overrides: any[]): Line[] {
  let next = 0;
  return lines.map((line) => {
    let colour: string | undefined;
    let dashed = false;
    for (const { matcher, properties } of overrides) {
      const text: string = matcher.options;
      const fits = matcher.id === 'byRegexp' ? new RegExp(text.slice(1, -1)).test(line.name) : text === line.name;
      if (!fits) continue;
      for (const { id, value } of properties) {
        if (id === 'color') colour = value.fixedColor;
        if (id === 'custom.lineStyle') dashed = true;
      }
    }
    return { ...line, colour: colour ?? PALETTE[next++ % PALETTE.length]!, dashed };
  });
}

/** A rounded step for about `count` marks up to `top`. */
function step(top: number, count: number): number {
  const rough = top / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
}

const clock = (time: number) => new Date(time * 1000).toISOString().slice(11, 19);

function frame(size: Size, times: number[], marks: [y: number, text: string][], inside: string): string {
  const left = 62, bottom = size.h - 22;
  const x = (at: number) => left + ((size.w - left - 12) * at) / 4;
  const span = times[times.length - 1]! - times[0]!;
  const clocks = [0, 1, 2, 3, 4].map((at) =>
    `<text x="${x(at)}" y="${size.h - 5}" text-anchor="${at === 4 ? 'end' : 'middle'}">${clock(times[0]! + (span * at) / 4)}</text>`);
  const lines = marks.map(([y, text]) =>
    `<line x1="${left}" x2="${size.w - 12}" y1="${y}" y2="${y}" class="grid"/><text x="${left - 6}" y="${y + 4}" text-anchor="end">${escape(text)}</text>`);
  return `<svg width="${size.w}" height="${size.h}">${lines.join('')}${inside}<line x1="${left}" x2="${size.w - 12}" y1="${bottom}" y2="${bottom}" class="grid"/>${clocks.join('')}</svg>`;
}

/** Lines, stacked areas or stacked bars. */
export function plot(lines: Line[], times: number[], panel: any, size: Size): string {
  const { unit, custom, max, decimals } = panel.fieldConfig.defaults;
  const stacked = custom.stacking.mode === 'normal';
  const below = new Map<number, number>();
  let top = max ?? 0;
  const drawn = lines.map((line) => {
    const stack = stacked && !line.dashed;
    const spots = times.map((time) => {
      const value = line.points.get(time);
      if (value === undefined || !Number.isFinite(value)) return undefined;
      const base = stack ? below.get(time) ?? 0 : 0;
      if (stack) below.set(time, base + value);
      if (max === undefined) top = Math.max(top, base + value);
      return { time, base, value: base + value };
    });
    return { line, spots };
  });
  if (top === 0) top = 1;
  const every = unit === 'bytes' ? 2 ** Math.ceil(Math.log2(top / 4)) : step(top, 4);
  if (max === undefined) top = Math.ceil(top / every) * every;
  const left = 62, right = size.w - 12, low = size.h - 22, high = 8;
  const first = times[0]!, span = times[times.length - 1]! - first;
  const x = (time: number) => left + ((right - left) * (time - first)) / span;
  const y = (value: number) => low - ((low - high) * Math.min(value, top)) / top;
  const width = Math.max(1, ((right - left) / times.length) * 0.8);
  const shapes = drawn.map(({ line, spots }) => {
    const there = spots.filter((spot) => spot !== undefined);
    if (custom.drawStyle === 'bars') {
      return there.map((spot) =>
        `<rect x="${x(spot.time) - width / 2}" y="${y(spot.value)}" width="${width}" height="${y(spot.base) - y(spot.value)}" fill="${line.colour}"/>`).join('');
    }
    // A gap where a value is missing.
    const runs: (typeof there)[] = [];
    spots.forEach((spot, at) => {
      if (!spot) return;
      if (at === 0 || !spots[at - 1]) runs.push([]);
      runs[runs.length - 1]!.push(spot);
    });
    const style = `stroke="${line.colour}" ${line.dashed ? 'stroke-dasharray="8 6"' : ''}`;
    return runs.map((run) => {
      const path = run.map((spot) => `${x(spot.time)},${y(spot.value)}`).join(' ');
      const back = [...run].reverse().map((spot) => `${x(spot.time)},${y(spot.base)}`).join(' ');
      const area = stacked && !line.dashed ? `<polygon points="${path} ${back}" fill="${line.colour}" fill-opacity="${custom.fillOpacity / 100}"/>` : '';
      return `${area}<polyline points="${path}" fill="none" stroke-width="${line.dashed ? 2 : custom.lineWidth}" ${style}/>`;
    }).join('');
  });
  const marks: [number, string][] = [];
  for (let mark = 0; mark <= top * 1.001; mark += every) marks.push([y(mark), show(mark, unit, decimals)]);
  const legend = lines.slice(0, 8).map((line) =>
    `<span><i style="background:${line.colour}"></i>${escape(line.name)}</span>`).join('');
  return `${frame(size, times, marks, shapes.join(''))}<div class="legend">${legend}</div>`;
}

/** Buckets over time: the more there are, the brighter. */
export function heatmap(lines: { name: string; points: Map<number, number> }[], times: number[], panel: any, size: Size): string {
  const rows = lines.map(({ name, points }) => ({ bound: Number(name.replace('+Inf', 'Infinity')), points }))
    .sort((a, b) => a.bound - b.bound);
  const left = 62, right = size.w - 12, low = size.h - 22, high = 8;
  const cell = { w: (right - left) / times.length, h: (low - high) / Math.max(1, rows.length) };
  const count = (row: number, time: number) =>
    Math.max(0, (rows[row]!.points.get(time) ?? 0) - (row > 0 ? rows[row - 1]!.points.get(time) ?? 0 : 0));
  const most = Math.max(1, ...rows.flatMap((_, row) => times.map((time) => count(row, time))));
  const cells = rows.flatMap((_, row) => times.map((time, at) => {
    const part = Math.sqrt(count(row, time) / most);
    if (part === 0) return '';
    const y = low - (row + 1) * cell.h;
    return `<rect x="${left + at * cell.w}" y="${y}" width="${Math.max(1, cell.w - 1)}" height="${cell.h - 1}" fill="#5794f2" fill-opacity="${0.2 + 0.8 * part}"/>`;
  }));
  const unit = panel.fieldConfig.defaults.unit;
  const marks: [number, string][] = rows.map(({ bound }, row) =>
    [low - (row + 1) * cell.h, Number.isFinite(bound) ? `≤ ${show(bound, unit)}` : 'more']);
  const shown = marks.filter((_, row) => cell.h > 13 || row % 2 === 0);
  return frame(size, times, shown, cells.join(''));
}

/** One number over its course. */
export function stat(lines: Line[], times: number[], panel: any, size: Size): string {
  const { unit, decimals, thresholds } = panel.fieldConfig.defaults;
  const points = lines[0]?.points ?? new Map<number, number>();
  const last = [...points.values()].filter(Number.isFinite).at(-1);
  const steps: { value: number | null; color: string }[] = thresholds.steps;
  const passed = steps.filter(({ value }) => value === null || (last ?? 0) >= value).at(-1)!;
  const colour = panel.options.colorMode === 'value' ? NAMED[passed.color]! : '#d8d9da';
  const top = Math.max(1e-9, ...[...points.values()].filter(Number.isFinite));
  const spots = times.filter((time) => Number.isFinite(points.get(time))).map((time) => {
    const x = (size.w * (time - times[0]!)) / (times[times.length - 1]! - times[0]!);
    return `${x},${size.h - 2 - (size.h * 0.35 * points.get(time)!) / top}`;
  });
  const text = last === undefined ? '–' : show(last, unit, decimals);
  return `<svg width="${size.w}" height="${size.h}"><polyline points="${spots.join(' ')}" fill="none" stroke="${colour}" stroke-opacity="0.5" stroke-width="1.5"/>`
    + `<text x="${size.w / 2}" y="${size.h * 0.5}" class="big" text-anchor="middle" style="fill:${colour}">${escape(text)}</text></svg>`;
}
