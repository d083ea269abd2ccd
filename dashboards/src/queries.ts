// Queries that several panels ask.

/** Only the namespaces that are looked at; outside Kubernetes there is none. */
export const HERE = 'namespace=~"$namespace"';

export const series = (name: string, ...labels: string[]): string =>
  `${name}{${[HERE, ...labels].join(', ')}}`;

/** What every bridge of a ledger says the same about. */
export const fleet = (name: string, by: string, ...labels: string[]): string =>
  `max by (${by}) (${series(name, ...labels)})`;

export const sum = (name: string, by: string, ...labels: string[]): string =>
  `sum by (${by}) (${series(name, ...labels)})`;

export const rate = (name: string, by: string, ...labels: string[]): string =>
  `sum by (${by}) (rate(${series(name, ...labels)}[$__rate_interval]))`;

/** A part of a histogram's values is below this. */
export const quantile = (part: number, name: string, by: string, ...labels: string[]): string => {
  const all = by === '' ? 'le' : `${by}, le`;
  return `histogram_quantile(${part}, ${rate(`${name}_bucket`, all, ...labels)})`;
};

/** The mean of a histogram's values. */
export const mean = (name: string, by: string, ...labels: string[]): string =>
  `${rate(`${name}_sum`, by, ...labels)} / (${rate(`${name}_count`, by, ...labels)} > 0)`;

export const buckets = (name: string, ...labels: string[]): string =>
  `sum by (le) (increase(${series(`${name}_bucket`, ...labels)}[$__rate_interval]))`;
