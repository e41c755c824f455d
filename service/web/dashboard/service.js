// Questions to the service, and changes.
import { publicSite, state } from './state.js';

const pathOf = (path) => (publicSite ? '../' : `v1/sites/${encodeURIComponent(state.site)}/`) + path;

async function answerOf(response) {
  const json = await response.json();
  if (!response.ok) throw new Error(json.detail || json.title || response.statusText);
  return json;
}

export async function ask(path, parameters = {}) {
  const query = new URLSearchParams({ ...parameters, numbers: '1' });
  return answerOf(await fetch(`${pathOf(path)}?${query}`, { cache: 'no-store' }));
}

export async function askSites() {
  if (publicSite) return [await answerOf(await fetch('dashboard/site.json', { cache: 'no-store' }))];
  return (await answerOf(await fetch('v1/sites', { cache: 'no-store' }))).sites || [];
}

// Has the service change something. It accepts this from its own pages only, which the header field shows.
export async function change(path, body) {
  const headers = { 'Content-Type': 'application/json', 'X-Viewcount-Change': '1' };
  return answerOf(await fetch(pathOf(path), { method: 'POST', headers, body: JSON.stringify(body), cache: 'no-store' }));
}

// Runs `task` for each item, `atOnce` at a time, and returns the results in order. A task that fails gives undefined.
export async function inTurns(items, atOnce, task) {
  const results = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const i = next++;
      try {
        results[i] = await task(items[i]);
      } catch {
        // A later round asks again.
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
