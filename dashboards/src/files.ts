// What is committed: dashboards and rules.

import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export const dashboards = (folder: string): any[] =>
  readdirSync(folder).filter((name) => name.endsWith('.json')).sort()
    .map((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')));

export const rules = (folder: string): Rule[] =>
  readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort()
    .flatMap((name) => parse(readFileSync(`${folder}/${name}`, 'utf8')).groups)
    .flatMap((group: { rules: Rule[] }) => group.rules);

export const tests = (folder: string): any[] =>
  readdirSync(folder).flatMap((name) => parse(readFileSync(`${folder}/${name}`, 'utf8')).tests);
