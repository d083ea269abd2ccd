// A dashboard: rows of panels, laid out from left to right.

import {
  AnnotationQueryBuilder, Dashboard, DashboardBuilder, DashboardCursorSync, DashboardLinkBuilder,
  DashboardLinkType, DatasourceVariableBuilder, Panel, QueryVariableBuilder, RowPanel, RowBuilder,
  TextBoxVariableBuilder, VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { SOURCE } from './panels.js';

export interface Board {
  uid: string;
  title: string;
  description: string;
  rows: [title: string, panels: Panel[]][];
  /** Variables that are typed in, with their values at first. */
  inputs?: [name: string, label: string, value: string][];
}

const RUNBOOK = 'https://github.com/zkwhirl/zkwhirl/blob/main/docs/RUNBOOK.md';

export function build(board: Board): Dashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid).description(board.description).tags(['zkwhirl'])
    .id(null).readonly().timezone('browser').refresh('10s').version(1)
    .time({ from: 'now-1h', to: 'now' })
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(new QueryVariableBuilder('namespace').label('Namespace').datasource(SOURCE)
      .query('label_values(zkwhirl_build_info, namespace)')
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .includeAll(true).allValue('.*').multi(true)
      .current({ selected: true, text: 'All', value: '$__all' }))
    .annotation(new AnnotationQueryBuilder().name('New version').datasource(SOURCE)
      .enable(true).iconColor('purple')
      .expr('count by (version) (zkwhirl_build_info) unless count by (version) (zkwhirl_build_info offset 2m)')
      .titleFormat('zkWhirl {{version}}'))
    .annotation(new AnnotationQueryBuilder().name('Alert').datasource(SOURCE)
      .enable(true).iconColor('red')
      .expr('ALERTS{alertstate="firing", alertname=~"ZkWhirl.*"}').titleFormat('{{alertname}}'))
    .link(new DashboardLinkBuilder('zkWhirl').type(DashboardLinkType.Dashboards)
      .tags(['zkwhirl']).includeVars(true).keepTime(true))
    .link(new DashboardLinkBuilder('Runbook').type(DashboardLinkType.Link)
      .icon('doc').url(RUNBOOK).targetBlank(true));
  for (const [name, label, value] of board.inputs ?? []) {
    builder.withVariable(new TextBoxVariableBuilder(name).label(label).defaultValue(value)
      .current({ selected: true, text: value, value }));
  }
  const dashboard = builder.build();
  dashboard.panels = place(board.rows);
  return dashboard;
}

function place(rows: Board['rows']): (Panel | RowPanel)[] {
  const placed: (Panel | RowPanel)[] = [];
  let id = 1;
  let y = 0;
  for (const [title, panels] of rows) {
    const row = new RowBuilder(title).id(id++).gridPos({ x: 0, y, w: 24, h: 1 }).build();
    placed.push(row);
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of panels) {
      const size = panel.gridPos ?? { w: 12, h: 8, x: 0, y: 0 };
      if (x + size.w > 24) {
        [x, y, height] = [0, y + height, 0];
      }
      placed.push({ ...panel, id: id++, gridPos: { x, y, w: size.w, h: size.h } });
      x += size.w;
      height = Math.max(height, size.h);
    }
    y += height;
  }
  return placed;
}
