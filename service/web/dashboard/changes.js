// Changes by people, at the admin address only: the list of changes with undo, notes, and the changes of an article. Each
// change shows its result first, and needs a name and a reason.
import { $, formatted, headOf, make, t, time, zone } from './parts.js';
import { ask, change } from './service.js';
import { state } from './state.js';

const NAME = 'viewcount-name';
const ADJUSTMENTS = 50;

// Called after a change, to show the new numbers.
let changed = () => {};
export function onChange(callback) {
  changed = callback;
}

// The person's name is remembered. Storage may be forbidden.
function rememberedName() {
  try {
    return localStorage[NAME] || '';
  } catch {
    return '';
  }
}
function rememberName(name) {
  try {
    localStorage[NAME] = name;
  } catch {
    // It is asked for again.
  }
}

const button = (text, action, attributes = {}) => {
  const element = make('button', { type: 'button', ...attributes }, text);
  element.addEventListener('click', action);
  return element;
};

function field(label, name, attributes = {}) {
  return make('label', {}, make('span', {}, label), make('input', { name, required: '', autocomplete: 'off', ...attributes }));
}

// Opens the dialog of a change. `preview(values)` returns lines of text that state the present and the result; it throws
// an error for values that are not possible. `commit(values)` carries the change out, and returns its answer.
function openDialog({ title, fields = [], why, preview, commit }) {
  const dialog = $('#dialog');
  const problem = make('p', { class: 'problem', role: 'alert' });
  const result = make('div', { class: 'result', 'aria-live': 'polite' });
  const reason = why === undefined ? [] : [field(t('why'), 'why', { maxlength: 1000, value: why })];
  const submit = make('button', { type: 'submit' }, t('preview'));
  const form = make('form', {}, make('h2', { id: 'dialog-title' }, title), ...fields,
    field(t('yourName'), 'who', { maxlength: 100, value: rememberedName(), autocomplete: 'name' }), ...reason, result, problem,
    make('div', { class: 'buttons' }, submit, button(t('cancel'), () => dialog.close())));
  let isShown = false;
  form.addEventListener('input', () => {
    isShown = false;
    result.replaceChildren();
    submit.textContent = t('preview');
  });
  const showResult = async (values) => {
    const lines = await preview(values);
    result.replaceChildren(...lines.map((line) => make('p', {}, line)));
    isShown = true;
    submit.textContent = t('confirm');
  };
  const carryOut = async (values) => {
    rememberName(values.who);
    const answer = await commit(values);
    form.replaceChildren(make('h2', { id: 'dialog-title' }, title), make('p', { role: 'status' }, t('done')),
      make('div', { class: 'buttons' },
        ...(answer.adjustmentId ? [button(t('undo'), () => openUndo(answer.adjustmentId, title))] : []),
        button(t('close'), () => dialog.close())));
    changed();
  };
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    problem.textContent = '';
    submit.disabled = true;
    try {
      const values = Object.fromEntries(new FormData(form));
      await (isShown ? carryOut(values) : showResult(values));
    } catch (error) {
      problem.textContent = error instanceof TypeError ? t('unreachable') : error.message;
    }
    submit.disabled = false;
  });
  dialog.replaceChildren(form);
  if (!dialog.open) dialog.showModal();
}

const provenanceOf = (values) => ({ who: values.who, why: values.why });

async function viewsOf(article) {
  const answer = await ask('counts', { article });
  return answer.counts[0].views || 0;
}

function numberOf(text) {
  if (!/^\d{1,16}$/.test(text.trim())) throw new Error(`${t('newViews')}: ${t('isNoNumber')}`);
  return Number(text);
}

export function openUndo(adjustmentId, description) {
  openDialog({
    title: t('undo'), why: `${t('undo')}: ${description}`.slice(0, 300), preview: () => [t('willUndo', description), t('later')],
    commit: (values) => change('adjustments:undo', { adjustmentId, provenance: provenanceOf(values) }),
  });
}

function openSet(articleId) {
  openDialog({
    title: `${t('set')} ${articleId}`, why: '', fields: [field(t('newViews'), 'views', { inputmode: 'numeric' })],
    preview: async ({ views }) => {
      const wanted = numberOf(views);
      return [t('nowHas', articleId, formatted(await viewsOf(articleId))), t('willHave', articleId, formatted(wanted)), t('later')];
    },
    commit: (values) => change('counts:set', { articleId, views: numberOf(values.views), provenance: provenanceOf(values) }),
  });
}

function openMerge(fromArticleId) {
  openDialog({
    title: `${t('merge')} ${fromArticleId}`, why: '', fields: [field(t('into'), 'into')],
    preview: async ({ into }) => {
      const [from, other] = await Promise.all([viewsOf(fromArticleId), viewsOf(into)]);
      return [t('nowHas', fromArticleId, formatted(from)), t('nowHas', into, formatted(other)),
        t('willMerge', fromArticleId, into, formatted(from + other)), t('later')];
    },
    commit: (values) => change('articles:merge', { fromArticleId, intoArticleId: values.into, provenance: provenanceOf(values) }),
  });
}

function openDelete(articleId) {
  openDialog({
    title: `${t('erase')} ${articleId}`, why: '',
    preview: async () => [t('nowHas', articleId, formatted(await viewsOf(articleId))), t('willErase', articleId)],
    commit: (values) => change('articles:delete', { articleIds: [articleId], provenance: provenanceOf(values) }),
  });
}

// The moment of a text such as 2026-11-30T07:00 in the site's time zone, as the time of the service.
function momentOf(text) {
  const wanted = Date.parse(`${text}:00Z`);
  const shownAt = (at) => {
    const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: zone(), dateStyle: 'short', timeStyle: 'medium' });
    return Date.parse(parts.format(new Date(at)).replace(' ', 'T') + 'Z');
  };
  // The difference to UTC at the moment itself may be another one than at the same time of UTC.
  let at = wanted;
  for (let i = 0; i < 2; ++i) at += wanted - shownAt(at);
  return new Date(at).toISOString();
}

function openNote() {
  const here = new Intl.DateTimeFormat('sv-SE', { timeZone: zone(), dateStyle: 'short', timeStyle: 'short' });
  const now = here.format(new Date()).replace(' ', 'T');
  const annotationOf = (values) => ({
    time: momentOf(values.time), text: values.text, who: values.who, ...(state.article && { articleId: state.article }),
  });
  openDialog({
    title: t('addNote'),
    fields: [field(t('noteTime', zone()), 'time', { type: 'datetime-local', value: now }), field(t('noteText'), 'text', { maxlength: 500 })],
    preview: (values) => [`${time(annotationOf(values).time, true)}: ${values.text} (${state.article || t('wholeSite')})`],
    commit: (values) => change('annotations:put', { annotation: annotationOf(values) }),
  });
}

function openRemoveNote(annotation) {
  openDialog({
    title: t('remove'), preview: () => [t('willRemove', annotation.text)],
    commit: () => change('annotations:delete', { annotationId: annotation.annotationId }),
  });
}

// Fills the place of the article's changes.
export function showArticleChanges() {
  const { article } = state;
  $('#change-title').textContent = t('changeArticle');
  $('#change-buttons').replaceChildren(button(t('set'), () => openSet(article)), button(t('merge'), () => openMerge(article)),
    button(t('erase'), () => openDelete(article)), button(t('addNote'), openNote));
}

export async function readChanges() {
  const [adjustments, annotations] = await Promise.all([ask('adjustments', { pageSize: ADJUSTMENTS }), ask('annotations')]);
  return { adjustments, annotations: annotations.annotations || [] };
}

const adjustmentRow = (adjustment) => make('tr', {}, make('td', {}, time(adjustment.time, true)),
  make('td', {}, (adjustment.provenance || {}).who || ''), make('td', {}, adjustment.description),
  make('td', {}, (adjustment.provenance || {}).why || ''),
  make('td', {}, adjustment.undone ? t('undone') : button(t('undo'), () => openUndo(adjustment.adjustmentId, adjustment.description))));

const annotationRow = (annotation) => make('tr', {}, make('td', {}, time(annotation.time, true)), make('td', {}, annotation.who),
  make('td', {}, annotation.text), make('td', {}, annotation.articleId || t('wholeSite')),
  make('td', {}, button(t('remove'), () => openRemoveNote(annotation))));

function tableOf(heads, rows, none) {
  if (!rows.length) return make('p', {}, none);
  return make('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': heads[2][0] },
    make('table', {}, make('thead', {}, headOf(heads)), make('tbody', {}, ...rows)));
}

export function showChanges({ adjustments, annotations }) {
  const rows = (adjustments.adjustments || []).map(adjustmentRow);
  const body = tableOf([[t('time')], [t('who')], [t('what')], [t('why')], [t('undo')]], rows, t('noAdjustments'));
  const older = button(t('more'), async () => {
    try {
      const next = await ask('adjustments', { pageSize: ADJUSTMENTS, pageToken: adjustments.nextPageToken });
      showChanges({ annotations, adjustments: { ...next, adjustments: [...adjustments.adjustments, ...(next.adjustments || [])] } });
    } catch {
      // The button stays.
    }
  });
  $('#page-title').textContent = t('changes');
  $('#page-content').replaceChildren(make('h3', {}, t('adjustments')), body, ...(adjustments.nextPageToken ? [older] : []),
    make('h3', {}, t('notes')), make('p', {}, button(t('addNote'), openNote)),
    tableOf([[t('time')], [t('who')], [t('note')], [t('article')], [t('remove')]], annotations.map(annotationRow), t('noNotes')));
}
