// Sparklines in lists: the views of each article in the last 24 hours. Their effort is bounded: at most ROWS_MAX rows of a
// list, AT_ONCE questions at a time, QUESTIONS_MAX questions a minute, and each article again after AGE_MS only. A list
// whose articles differ each time it is read gets none.
import { sparkline } from './chart.js';
import { $, make } from './parts.js';
import { ask, inTurns } from './service.js';
import { state } from './state.js';

const ROWS_MAX = 20;
const AT_ONCE = 3;
const QUESTIONS_MAX = 60;
const MINUTE_MS = 60e3;
const AGE_MS = 60e3;
const KEPT_MAX = 500;

// By site and article: the points, and when they were read.
const known = new Map();
// The times of the last questions.
let asked = [];
let running = false;
// The place that the list belongs to, its articles when it was last shown, and how often in a row these were the same.
let place;
let articles = '';
let changes = 0;

const keyOf = (article) => `${state.site}\n${article}`;

// Returns the content of an article's cell.
export function sparkCell(article) {
  const found = known.get(keyOf(article));
  return found && found.points.length ? sparkline(found.points) : [make('span', { class: 'spark' })];
}

// A narrow window has no room for sparklines.
const hasPlace = (row) => {
  const cell = row.querySelector('.trend');
  return cell && cell.offsetParent;
};

const isOld = (article) => !(Date.now() - (known.get(keyOf(article)) || {}).at < AGE_MS);

async function read(article) {
  if (asked.length >= QUESTIONS_MAX) return;
  asked.push(Date.now());
  const key = keyOf(article);
  const series = await ask('series', { article, step: 'hour', 'window.last': '24h' });
  if (known.size >= KEPT_MAX) known.delete(known.keys().next().value);
  known.delete(key);
  known.set(key, { points: series.points || [], at: Date.now() });
  const row = [...$('#list tbody').children].find((candidate) => candidate.dataset.article === article);
  const cell = row && row.querySelector('.trend');
  if (cell && keyOf(article) === key) cell.replaceChildren(...sparkCell(article));
}

// Reads what the rows of the list lack. `shown` names the list: a list that was just chosen is read at once.
export async function fillSparklines(shown) {
  const rows = [...$('#list tbody').children].slice(0, ROWS_MAX).filter(hasPlace);
  const ids = rows.map((row) => row.dataset.article);
  const present = [...ids].sort().join('\n');
  changes = shown !== place ? 0 : present === articles ? Math.max(0, changes - 1) : changes + 1;
  place = shown;
  articles = present;
  // The articles changed twice in a row.
  if (running || changes > 1 || document.hidden) return;
  asked = asked.filter((at) => Date.now() - at < MINUTE_MS);
  running = true;
  await inTurns(ids.filter(isOld), AT_ONCE, read);
  running = false;
}
