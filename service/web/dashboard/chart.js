// The chart of views by hour or day, with the time before, the notes at their moments, and the same as a table.
import { $, dayOf, formatted, headOf, make, pointText, spoken, t } from './parts.js';
import { STEPS, address, publicSite, state } from './state.js';

const WIDTH = 960;
const HEIGHT = 220;
// Notes beside each other are written in so many lines.
const NOTE_LINES = 3;
const HOUR_MS = 3600e3;

export function seriesQuestion() {
  const step = STEPS[state.step];
  const question = { step: state.step, 'window.last': 2 * step.points + step.unit };
  if (state.article) question.article = state.article;
  return question;
}

const sumOf = (points) => points.reduce((total, point) => total + (point.views || 0), 0);

// Returns where a point's bar leads: to the articles of its time. Strangers may ask for days only.
function linkOf(point) {
  const isDay = state.step === 'day';
  if (publicSite && !isDay) return undefined;
  const end = () => new Date(Date.parse(point.start) + HOUR_MS).toISOString();
  const window = isDay ? dayOf(point) : `${point.start}/${end()}`;
  return address({ article: '', page: '', list: 'popular', window });
}

function barOf(point, i, width, most) {
  // An hour without views has a line only.
  const top = point.views ? 215 - 205 * point.views / most : HEIGHT - 1;
  const label = `${pointText(point, state.step === 'day')}: ${formatted(point.views)}`;
  return make('a.bar', { href: linkOf(point), tabindex: '-1' }, make('title', {}, label),
    make('rect', { class: 'hit', x: i * width, y: 0, width, height: HEIGHT }),
    make('rect', { class: 'now', x: i * width + width * .1, y: top, width: width * .8, height: HEIGHT - top }));
}

// Returns for each point the notes within it.
function notesOf(points, annotations) {
  const starts = points.map((point) => Date.parse(point.start));
  const notes = points.map(() => []);
  for (const annotation of annotations) {
    if (annotation.articleId && annotation.articleId !== state.article) continue;
    const at = Date.parse(annotation.time);
    const i = starts.findLastIndex((start) => start <= at);
    const last = i === points.length - 1;
    if (i >= 0 && !(last && at > Date.now())) notes[i].push(annotation);
  }
  return notes;
}

const noteText = (annotation) => `${annotation.text} (${annotation.who})`;

// Writes the notes over the chart. Their places are styles that a script sets, which the page's policy allows.
function showNotes(notes) {
  const flags = [];
  notes.forEach((atPoint, i) => {
    if (!atPoint.length) return;
    const text = atPoint.map((annotation) => annotation.text).join(' · ');
    const flag = make('li', { title: atPoint.map(noteText).join('\n') }, make('span', { 'aria-hidden': 'true' }, '⚑ '), text);
    const part = (i + .5) / notes.length;
    flag.style.insetBlockStart = `${flags.length % NOTE_LINES * 1.3}rem`;
    if (part <= .5) flag.style.left = `${part * 100}%`;
    else flag.style.right = `${(1 - part) * 100}%`;
    flag.className = part <= .5 ? 'before' : 'after';
    flags.push(flag);
  });
  $('#notes').replaceChildren(...flags);
  $('#notes').hidden = !flags.length;
}

export function showChart([series, annotations]) {
  const step = STEPS[state.step];
  const isDay = state.step === 'day';
  const points = series.points || [];
  if (!points.length) return;
  const now = points.slice(-step.points);
  const before = points.slice(0, points.length - now.length);
  const most = Math.max(1, ...points.map((point) => point.views || 0));
  const width = WIDTH / Math.max(1, now.length);
  const notes = notesOf(now, annotations);
  const middles = before.map((point, i) => `${(i + .5) * width},${215 - 205 * (point.views || 0) / most}`);
  $('#chart-title').textContent = t(step.title);
  $('#chart svg').replaceChildren(...now.map((point, i) => barOf(point, i, width, most)),
    make('polyline', { class: 'before', points: sumOf(before) ? middles.join(' ') : '' }),
    ...notes.flatMap((atPoint, i) => (atPoint.length
      ? [make('line', { class: 'note', x1: (i + .5) * width, x2: (i + .5) * width, y1: 0, y2: HEIGHT })] : [])));
  showNotes(notes);
  $('#chart figcaption').textContent = t('caption', formatted(sumOf(now)), t('period'), formatted(sumOf(before)));
  $('#chart caption').textContent = t(step.title);
  const hasNotes = notes.some((atPoint) => atPoint.length);
  $('#chart thead').replaceChildren(headOf([[t('from')], [t('views'), 'number'], [t('before'), 'number'], ...(hasNotes ? [[t('notes')]] : [])]));
  $('#chart tbody').replaceChildren(...now.map((point, i) => {
    const href = linkOf(point);
    const label = pointText(point, isDay);
    return make('tr', {},
      make('th', { scope: 'row' }, href ? make('a', { href, title: t('openList') }, label) : label),
      make('td', { class: 'number' }, formatted(point.views)),
      make('td', { class: 'number' }, before[i] ? formatted(before[i].views) : '–'),
      ...(hasNotes ? [make('td', {}, notes[i].map(noteText).join(' · '))] : []));
  }));
}

// Returns a small line of the views by hour, and its alternative as text.
export function sparkline(points) {
  const width = 96;
  const height = 20;
  const most = Math.max(1, ...points.map((point) => point.views || 0));
  const last = points[points.length - 1] || {};
  const line = points.map((point, i) =>
    `${(i + .5) * width / points.length},${height - 1 - (height - 3) * (point.views || 0) / most}`).join(' ');
  return [make('svg', { class: 'spark', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, make('polyline', { points: line })),
    spoken(t('trendText', formatted(Math.max(0, ...points.map((point) => point.views || 0))), formatted(last.views)))];
}
