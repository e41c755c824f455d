// The lists: most viewed, right now, trending, rising and latest articles.
import { $, decimal, formatted, headOf, make, pageLink, restrictions, spoken, t, time, windowParameters } from './parts.js';
import { sparkCell } from './sparklines.js';
import { LISTS, WINDOWS, address, state } from './state.js';

const ROWS = 50;

// Returns the route and the parameters of the chosen list.
export function listQuestion() {
  const popular = { ...windowParameters(), pageSize: ROWS, withPreviousRank: 'true' };
  const [path, question] = {
    popular: ['popular', popular], now: ['now', { pageSize: ROWS }], trending: ['trending', { pageSize: ROWS }],
    rising: ['rising', { pageSize: ROWS }], latest: ['articles', { before: ROWS }],
  }[state.list];
  return [path, { ...question, ...restrictions() }];
}

// Returns a lists' choices. The articles in order of publication cannot be restricted to an author.
export function listChoices() {
  const { latest, ...others } = LISTS;
  return state.author ? others : { ...others, latest };
}

export function rankChange(article) {
  if (!article.previousRank) return make('span', { class: 'up' }, t('isNew'));
  const by = article.previousRank - article.rank;
  if (by === 0) return make('span', {}, make('span', { 'aria-hidden': 'true' }, '='), spoken(t('same')));
  return make('span', { class: by > 0 ? 'up' : 'down' },
    make('span', { 'aria-hidden': 'true' }, `${by > 0 ? '▲' : '▼'} ${Math.abs(by)}`), spoken(t(by > 0 ? 'up' : 'down', Math.abs(by))));
}

// A list's columns: the text of each head, its class, and the content of an article's cell. Numbers stand on the right.
function columnsOf(list) {
  // Without any earlier rank, the window before is not known.
  const known = (list.articles || []).some((article) => article.previousRank);
  const rank = ['rank', 'number', (article) => [String(article.rank)]];
  const views = ['views', 'number', (article) => [formatted(article.views)]];
  const score = ['score', 'number', (article) => [decimal(article.score)]];
  const trend = ['trend', 'trend', (article) => sparkCell(article.articleId)];
  return {
    popular: [rank, ['change', '', (article) => (known ? [rankChange(article)] : ['–'])], views, trend],
    now: [rank, views, trend],
    trending: [rank, score, views, trend],
    rising: [rank, score, views, ['usual', 'number', (article) => [decimal(article.usualViews)]], trend],
    latest: [['published', '', (article) => [time(article.publishTime, true)]], views],
  }[state.list];
}

export function titleCell(article) {
  const labels = [article.title ? article.articleId : '', ...(article.sections || [])].filter(Boolean).join(' · ');
  return make('td', { class: 'title' },
    make('a', { href: address({ article: article.articleId, page: '' }) }, article.title || article.articleId),
    ...pageLink(article), make('span', { class: 'id' }, labels));
}

function noteOf(list) {
  const latest = state.list === 'latest';
  const span = list.span ? t('span', time(list.span.start, true), time(list.span.end, true)) + '. ' : '';
  const bound = ['popular', 'now'].includes(state.list) ? t('inexact', formatted(list.errorBound)) : t('inexactScore', formatted(list.errorBound));
  const proof = list.exact ? t('exact') : latest ? t('incomplete') : bound;
  return [span + proof, t('age', time(list.asOf, true)), list.formula ? t('formula', list.formula) : ''].filter(Boolean).join(' ');
}

export function showList(list) {
  const articles = list.articles || list.earlier || [];
  const title = state.list === 'popular' && WINDOWS[state.window] ? t(WINDOWS[state.window]) : '';
  $('#list-title').textContent = [t(state.list), title, state.section, state.author].filter(Boolean).join(' · ');
  $('#list-note').textContent = noteOf(list);
  const none = { rising: 'notRising', latest: 'noneLatest' }[state.list] || 'none';
  $('#list caption').textContent = articles.length ? '' : t(none);
  const columns = columnsOf(list);
  $('#list thead').replaceChildren(headOf([...columns.map(([label, kind]) => [t(label), kind]), [t('article')]]));
  $('#list tbody').replaceChildren(...articles.map((article) => make('tr', { 'data-article': article.articleId },
    ...columns.map(([, kind, cell]) => make('td', { class: kind || undefined }, ...cell(article))), titleCell(article))));
  const known = new Set([...$('#sections').children].map((option) => option.value));
  for (const article of articles) for (const section of article.sections || []) known.add(section);
  $('#sections').replaceChildren(...[...known].sort().map((value) => make('option', { value })));
}
