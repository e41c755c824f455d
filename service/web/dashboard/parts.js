// Parts of pages: elements, texts, numbers and times in the chosen language.
import { TEXTS } from './texts.js';
import { address, publicSite, state } from './state.js';

const SVG = 'http://www.w3.org/2000/svg';
const SVG_NAMES = ['svg', 'rect', 'polyline', 'line', 'title'];

// The sites with their time zones, as the service lists them.
export const sites = [];

export const $ = (selector) => document.querySelector(selector);
export const t = (key, ...values) => values.reduce((text, value) => text.replace('{}', () => value), TEXTS[state.lang][key]);
export const formatted = (value) => new Intl.NumberFormat(state.lang).format(value || 0);
export const decimal = (value) => new Intl.NumberFormat(state.lang, { maximumFractionDigits: 1 }).format(value || 0);

// Creates an element. Texts become text nodes, so nothing in a title is ever markup.
export function make(name, attributes = {}, ...children) {
  const svg = name === 'a.bar' || SVG_NAMES.includes(name);
  const element = svg ? document.createElementNS(SVG, name.split('.')[0]) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Text that only screen readers read.
export const spoken = (text) => make('span', { class: 'spoken' }, text);

export const zone = () => (sites.find((site) => site.name === state.site) || {}).timeZone || 'UTC';

const formats = new Map();
function formatOf(timeZone, options) {
  const key = JSON.stringify([state.lang, timeZone, options]);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(state.lang, { ...options, timeZone }));
  return formats.get(key);
}

export function time(text, withTime) {
  const options = withTime ? { dateStyle: 'short', timeStyle: 'short' } : { dateStyle: 'medium' };
  try {
    return formatOf(zone(), options).format(new Date(text));
  } catch {
    return text;
  }
}

// The day of a point, YYYY-MM-DD. The service knows the time zone that the site had then.
export function dayOf(point) {
  if (point.day) return point.day;
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone: zone() });
  return parts.format(new Date(point.start));
}

export const dayText = (day) => formatOf('UTC', { dateStyle: 'medium' }).format(new Date(`${day}T00:00:00Z`));
export const pointText = (point, isDay) => (isDay ? dayText(dayOf(point)) : time(point.start, true));

// The parameters of the chosen window: a name, a day, or a range.
export function windowParameters() {
  if (state.window === 'all') return { 'window.allTime': 'true' };
  if (state.window === 'today') return { 'window.day': '' };
  if (/^\d{4}-\d\d-\d\d$/.test(state.window)) return { 'window.day': state.window };
  const range = state.window.split('/');
  if (range.length === 2 && !publicSite) return { 'window.start': range[0], 'window.end': range[1] };
  return { 'window.last': state.window };
}

// The restrictions that the person has chosen.
export function restrictions() {
  return { ...(state.section && { section: state.section }), ...(state.author && { author: state.author }) };
}

export function showChoices(selector, choices, key, changes = {}) {
  $(selector).replaceChildren(...Object.entries(choices).map(([value, label]) =>
    make('a', { href: address({ ...changes, [key]: value }), 'aria-current': value === state[key] ? 'true' : undefined }, t(label))));
}

export function card(label, value, note) {
  const definition = make('dd', {}, value);
  if (note) definition.append(make('small', {}, note));
  return make('div', {}, make('dt', {}, label), definition);
}

// Returns a link to the article's page if its address is one that a browser may open.
export function pageLink(article) {
  if (!/^https?:\/\//i.test(article.url || '')) return [];
  return [' ', make('a', { href: article.url, rel: 'noopener noreferrer', target: '_blank', 'aria-label': t('open') }, '↗')];
}

// Returns a table's row of heads. Each is a text and a class, which may be empty.
export const headOf = (heads) =>
  make('tr', {}, ...heads.map(([text, kind]) => make('th', { scope: 'col', class: kind || undefined }, text)));

export function showProblem(text) {
  $('#problem').hidden = !text;
  $('#problem').textContent = text || '';
}
