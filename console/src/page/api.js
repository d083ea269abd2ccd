// Calls to the server: views, actions, and the stream of changes.

import { setNow } from './dom.js';

const API = '/console/api';

async function answer(response) {
  const text = await response.text();
  let body;
  try { body = JSON.parse(text); } catch { body = { error: text }; }
  if (!response.ok) throw Object.assign(new Error(body.error ?? response.statusText), { status: response.status });
  return body;
}

export async function read(path) {
  let response;
  try {
    response = await fetch(API + path);
  } catch {
    throw new Error('the bridge does not answer');
  }
  const body = await answer(response);
  if (body.now_ms) setNow(body.now_ms);
  return body;
}

// The operator's token is stored in this tab only.
export const operator = {
  // False: the console is read-only. Undefined until the first status.
  can: undefined,
  get token() { return sessionStorage.getItem('token') ?? ''; },
  get name() { return sessionStorage.getItem('name') ?? ''; },
  enter(token, name) {
    sessionStorage.setItem('token', token);
    sessionStorage.setItem('name', name);
  },
  leave() { sessionStorage.clear(); },
  headers() {
    const headers = { authorization: `Bearer ${this.token}` };
    if (this.name) headers['x-zkwhirl-operator'] = this.name.replace(/[^\x20-\x7e]/g, '?');
    return headers;
  },
};

export const act = async (deed, on, more) => answer(await fetch(`${API}/actions`, {
  method: 'POST',
  headers: { ...operator.headers(), 'content-type': 'application/json' },
  body: JSON.stringify({ act: deed, on, ...more }),
}));

export async function download(id) {
  const response = await fetch(`${API}/dead/${id}/request`, { headers: operator.headers() });
  if (!response.ok) return answer(response);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = `${id}.bin`;
  link.click();
  URL.revokeObjectURL(link.href);
  return null;
}

// Calls `changed` at every change, and `alive` when the stream opens or is lost.
export function watch(changed, alive) {
  const stream = new EventSource(`${API}/events`);
  stream.addEventListener('open', () => { alive(true); changed(); });
  stream.addEventListener('error', () => alive(false));
  stream.addEventListener('change', (event) => changed(JSON.parse(event.data)));
}
