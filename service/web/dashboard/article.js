// The page of an article: what was announced about it, and its days with the views and the rank on each.
import { $, card, dayOf, dayText, formatted, headOf, make, pageLink, t, time } from './parts.js';
import { ask, inTurns } from './service.js';
import { address, state } from './state.js';

// The days whose ranks are shown, and how far the lists of days reach.
const RANKED_DAYS = 14;
const RANKS_MAX = 256;
const DAYS = 30;
const AT_ONCE = 3;
const TODAY_AGE_MS = 60e3;
const KEPT_MAX = 500;

// By site, article and day: the rank, and when it was read.
const ranks = new Map();

export const daysQuestion = () => ({ article: state.article, step: 'day', 'window.last': `${DAYS}d` });

// Without numbers, shows the cards empty, so that nothing moves when the numbers come.
export function showCounts(counts) {
  const number = counts ? formatted : () => '–';
  const [count] = counts ? counts.counts : [{}];
  $('#totals dl').replaceChildren(card(t('views'), number(count.views)),
    card(t('articleViewers'), number(count.viewers)), card(t('bots'), number(count.botViews)));
}

export function showDescription(article) {
  const labels = (key, values) =>
    (values || []).flatMap((value, i) => [i ? ', ' : '', key ? make('a', { href: address({ article: '', page: '', [key]: value }) }, value) : value]);
  const row = (label, ...content) => make('div', {}, make('dt', {}, t(label)), make('dd', {}, ...(content.length ? content : ['–'])));
  $('#about-title').replaceChildren(article.title || state.article, ...pageLink(article),
    ...(article.announcedByPage ? [make('small', {}, t('byPages'))] : []));
  $('#about dl').replaceChildren(
    row('published', ...(article.publishTime ? [time(article.publishTime, true)] : [])),
    row('sections', ...labels('section', article.sections)), row('authors', ...labels('author', article.authors)),
    row('tags', ...labels('', article.tags)), row('language', ...(article.language ? [article.language] : [])));
}

// Reads an article's rank in the list of a day: a number, 0 beyond the list, or nothing if it could not be read.
async function readRank(day, isToday) {
  const key = JSON.stringify([state.site, state.article, day]);
  const found = ranks.get(key);
  if (found && (!isToday || Date.now() - found.at < TODAY_AGE_MS)) return found;
  const { article } = state;
  const list = await ask('popular', { 'window.day': day, pageSize: RANKS_MAX });
  const place = (list.articles || []).find((candidate) => candidate.articleId === article);
  const entry = { rank: place ? place.rank : 0, exact: list.exact, at: Date.now() };
  if (ranks.size >= KEPT_MAX) ranks.delete(ranks.keys().next().value);
  ranks.set(key, entry);
  return entry;
}

function rankText(views, entry) {
  if (!entry) return '–';
  if (!entry.rank) return views ? t('beyond', RANKS_MAX) : t('noViews');
  return entry.exact ? formatted(entry.rank) : t('roughly', formatted(entry.rank));
}

// Returns the days with their ranks, the newest first.
export async function readDays(series) {
  const days = (series.points || []).map((point) => ({ day: dayOf(point), views: point.views || 0 })).reverse();
  const entries = await inTurns(days.slice(0, RANKED_DAYS), AT_ONCE, ({ day }) => readRank(day, day === days[0].day));
  return days.map((day, i) => ({ ...day, entry: entries[i], ranked: i < RANKED_DAYS }));
}

export function showDays(days) {
  $('#days caption').textContent = t('rankNote', RANKS_MAX);
  $('#days thead').replaceChildren(headOf([[t('day')], [t('views'), 'number'], [t('rank'), 'number']]));
  $('#days tbody').replaceChildren(...days.map(({ day, views, entry, ranked }) => make('tr', {},
    make('th', { scope: 'row' }, make('a', { href: address({ article: '', page: '', list: 'popular', window: day }), title: t('openList') }, dayText(day))),
    make('td', { class: 'number' }, formatted(views)),
    make('td', { class: 'number' }, ranked ? rankText(views, entry) : ''))));
}
