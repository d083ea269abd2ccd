// Draws dashboards with the figures of a running Prometheus, each as one page,
// and photographs it in Chromium: for the eye, and for the README.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { coloured, escape, heatmap, named, plot, stat } from './charts.js';
import { dashboards } from './files.js';
import { filled, over } from './prometheus.js';

const [base, folder, images] = [process.argv[2]!, process.argv[3]!, process.argv[4]!];
const seconds = Number(process.argv[5] ?? '60');
const WIDTH = 1400, UNIT = 34, GAP = 8;

const STYLE = `
  body { margin: 0; background: #111217; color: #ccccdc; font: 12px "DejaVu Sans", sans-serif; }
  h1 { font-size: 17px; font-weight: 500; margin: 0; padding: 12px 14px 6px; }
  h1 small { color: #8e8e8e; font-size: 12px; margin-left: 12px; font-weight: 400; }
  .panel, .row { position: absolute; box-sizing: border-box; }
  .panel { background: #181b1f; border: 1px solid #25282d; border-radius: 2px; overflow: hidden; }
  .row { font-size: 14px; padding: 8px 2px; }
  .title { padding: 6px 9px; height: 15px; font-weight: 500; white-space: nowrap; }
  svg text { fill: #9a9ba6; font-size: 11px; }
  svg text.big { font-size: 26px; font-weight: 500; }
  .grid { stroke: #2c2f36; stroke-width: 1; }
  .legend { padding: 0 12px; height: 18px; overflow: hidden; white-space: nowrap; }
  .legend span { margin-right: 14px; } .legend i { display: inline-block; width: 13px; height: 4px; border-radius: 2px; margin-right: 5px; vertical-align: middle; }
`;

async function panel(shown: any, times: number[], step: number): Promise<string> {
  const { x, y, w, h } = shown.gridPos;
  const column = (WIDTH - GAP) / 24;
  const box = `left:${GAP + x * column}px;top:${44 + y * UNIT}px;width:${w * column - GAP}px;height:${h * UNIT - GAP}px`;
  if (shown.type === 'row') return `<div class="row" style="${box}">▾ ${escape(shown.title)}</div>`;
  const found: ReturnType<typeof named> = [];
  for (const target of shown.targets) {
    const series = await over(base, filled(target.expr, '2m'), times, step);
    found.push(...named(series, target.legendFormat));
  }
  found.sort((a, b) => (shown.targets.length > 1 ? 0 : a.name.localeCompare(b.name)));
  const size = { w: w * column - GAP - 2, h: h * UNIT - GAP - 28 };
  const lines = coloured(found, shown.fieldConfig.overrides ?? []);
  const chart = {
    stat: () => stat(lines, times, shown, size),
    timeseries: () => plot(lines, times, shown, { ...size, h: size.h - 20 }),
    heatmap: () => heatmap(found, times, shown, size),
  }[shown.type as 'stat' | 'timeseries' | 'heatmap'];
  return `<div class="panel" style="${box}"><div class="title">${escape(shown.title)}</div>${chart()}</div>`;
}

mkdirSync(images, { recursive: true });
const work = mkdtempSync(`${tmpdir()}/zkwhirl-draw-`);
for (const board of dashboards(folder)) {
  const step = Math.max(1, Math.round(seconds / 120));
  const end = Math.floor(Date.now() / 1000);
  const times = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, at) => end - seconds + at * step);
  const panels = [];
  for (const shown of board.panels) panels.push(await panel(shown, times, step));
  const last = board.panels.at(-1).gridPos;
  const height = 44 + (last.y + last.h) * UNIT + GAP;
  const page = `<!doctype html><meta charset="utf-8"><style>${STYLE}</style><h1>${escape(board.title)}<small>${escape(board.description)}</small></h1>${panels.join('')}`;
  const name = board.uid.replace('zkwhirl-', 'dashboard-');
  writeFileSync(`${work}/${name}.html`, page);
  execFileSync('chromium', [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--force-color-profile=srgb',
    `--user-data-dir=${work}/profile`, `--window-size=${WIDTH},${height}`,
    `--screenshot=${images}/${name}.png`, `file://${work}/${name}.html`,
  ], { stdio: 'ignore', timeout: 120_000 });
}
rmSync(work, { recursive: true, force: true });
