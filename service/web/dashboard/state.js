// The choices of the person who looks. All of them are in the address: site, page, list, window, step, section, author,
// article, lang, and wall=1 for a display without an operator.
import { TEXTS } from './texts.js';

export const WINDOWS = { '1h': 'last1h', '24h': 'last24h', today: 'today', '7d': 'last7d', '30d': 'last30d', all: 'all' };
// The lists. Only popular ones have windows to choose.
export const LISTS = { popular: 'popular', now: 'now', trending: 'trending', rising: 'rising', latest: 'latest' };
export const STEPS = {
  hour: { label: 'hours', title: 'byHour', points: 48, unit: 'h' },
  day: { label: 'days', title: 'byDay', points: 30, unit: 'd' },
};
export const PAGES = { '': 'overview', sections: 'sections', authors: 'authors', changes: 'changes' };

// The site of a public dashboard, which shows this site only, and changes nothing. Empty at the admin address.
const place = location.pathname.match(/\/v1\/sites\/([^/]+)\/dashboard\/$/);
export const publicSite = place ? decodeURIComponent(place[1]) : '';

export const state = {};

const chosen = (choices, value, otherwise) => (Object.hasOwn(choices, value) ? value : otherwise);

export function readAddress() {
  const query = new URLSearchParams(location.search);
  const get = (name) => query.get(name) || '';
  Object.assign(state, {
    site: publicSite || get('site'), page: chosen(PAGES, get('page'), ''), window: get('window') || '24h',
    step: chosen(STEPS, get('step'), 'hour'), list: chosen(LISTS, get('list'), 'popular'), section: get('section'),
    author: get('author'), article: get('article'), wall: get('wall'),
    lang: chosen(TEXTS, get('lang') || navigator.language.slice(0, 2), 'en'),
  });
  if (publicSite && state.page === 'changes') state.page = '';
  // The articles in order of publication cannot be restricted to an author.
  if (state.author && state.list === 'latest') state.list = 'popular';
}

// Returns the address of the dashboard with some choices changed.
export function address(changes) {
  const query = new URLSearchParams();
  const choices = { ...state, ...changes };
  if (publicSite) delete choices.site;
  for (const [key, value] of Object.entries(choices)) if (value) query.set(key, value);
  return '?' + query;
}
