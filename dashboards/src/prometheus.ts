// Asks a running Prometheus.

export interface Series {
  metric: Record<string, string>;
  values: [time: number, value: string][];
}

/** What Grafana would put in place of its variables. */
export function filled(expr: string, range: string): string {
  return expr
    .replaceAll('$__rate_interval', '15s')
    .replaceAll('$__range', range)
    .replaceAll('$namespace', '.*')
    .replaceAll('$price', '2.016');
}

async function get(base: string, path: string, ask: Record<string, string>): Promise<any> {
  const answer = await fetch(`${base}/api/v1/${path}?${new URLSearchParams(ask)}`);
  const body: any = await answer.json();
  if (body.status !== 'success') throw new Error(body.error);
  return body.data;
}

export async function now(base: string, expr: string): Promise<Series[]> {
  const data = await get(base, 'query', { query: expr });
  const series: any[] = data.resultType === 'vector' ? data.result : [{ metric: {}, value: data.result }];
  return series.map(({ metric, value }) => ({ metric, values: [value] }));
}

/** The values at these times, which are `step` seconds apart. */
export async function over(base: string, expr: string, times: number[], step: number): Promise<Series[]> {
  const ask = { query: expr, start: `${times[0]}`, end: `${times.at(-1)}`, step: `${step}` };
  return (await get(base, 'query_range', ask)).result;
}

/** Whether a number came back: neither nothing nor "not a number" alone. */
export const hasFigures = (series: Series[]): boolean =>
  series.some(({ values }) => values.some(([, value]) => Number.isFinite(Number(value))));
