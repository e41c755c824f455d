// The pages of sections and authors: the most viewed articles of each. Choosing one restricts all lists.
import { $, formatted, headOf, make, t, windowParameters } from './parts.js';
import { ask, inTurns } from './service.js';
import { titleCell } from './list.js';
import { WINDOWS, address, state } from './state.js';

const LABELS_MAX = 12;
const ROWS = 5;
const AT_ONCE = 3;
// The articles whose labels are listed.
const LISTED = 256;

// Returns the labels of the listed articles, those of the most views first.
function labelsOf(articles, field) {
  const views = new Map();
  for (const article of articles) {
    for (const label of article[field] || []) views.set(label, (views.get(label) || 0) + (article.views || 0));
  }
  return [...views].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([label]) => label);
}

// Reads the lists of the labels on the chosen page.
export async function readLabels() {
  const [field, parameter] = state.page === 'authors' ? ['authors', 'author'] : ['sections', 'section'];
  const whole = await ask('popular', { ...windowParameters(), pageSize: LISTED });
  const labels = labelsOf(whole.articles || [], field);
  const lists = await inTurns(labels.slice(0, LABELS_MAX), AT_ONCE, (label) =>
    ask('popular', { ...windowParameters(), pageSize: ROWS, [parameter]: label }));
  return { parameter, labels, lists };
}

function listOf(label, parameter, list) {
  const rows = (list.articles || []).map((article) => make('tr', {},
    make('td', { class: 'number' }, formatted(article.rank)), make('td', { class: 'number' }, formatted(article.views)), titleCell(article)));
  return make('article', {},
    make('h3', {}, make('a', { href: address({ page: '', article: '', section: '', author: '', [parameter]: label }) }, label)),
    make('div', { class: 'scroll' }, make('table', {},
      make('thead', {}, headOf([[t('rank'), 'number'], [t('views'), 'number'], [t('article')]])), make('tbody', {}, ...rows))));
}

export function showLabels({ parameter, labels, lists }) {
  const window = WINDOWS[state.window] ? ` · ${t(WINDOWS[state.window])}` : '';
  $('#page-title').textContent = t(state.page) + window;
  const shown = lists.flatMap((list, i) => (list ? [listOf(labels[i], parameter, list)] : []));
  const others = labels.slice(LABELS_MAX).map((label) =>
    make('a', { href: address({ page: '', article: '', section: '', author: '', [parameter]: label }) }, label));
  $('#page-content').replaceChildren(
    labels.length ? make('div', { class: 'labels' }, ...shown) : make('p', {}, t('noLabels')),
    ...(others.length ? [make('nav', { class: 'choices', 'aria-label': t(state.page) }, ...others)] : []));
}
