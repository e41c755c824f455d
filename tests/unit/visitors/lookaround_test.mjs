// Compares rewritten patterns with the original ones, on texts that are put together from the patterns' own words.
//
//   node --test lookaround_test.mjs, with ISBOT=…/isbot/index.mjs
import assert from 'node:assert';
import test from 'node:test';
import { pathToFileURL } from 'node:url';

import { withoutLookaround } from '../../../service/visitors/lookaround.mjs';

const TEXTS = 20_000;
const { list } = await import(pathToFileURL(process.env.ISBOT));

// Returns the words of a pattern, with each of their beginnings and ends, so that a word that is cut short occurs.
function piecesOf(pattern) {
  const words = pattern.match(/[a-z; \/]+/gi);
  return words.flatMap((word) => [...word].flatMap((_, i) => [word.slice(0, i + 1), word.slice(i), 'x']));
}

function draw(pieces) {
  let text = '';
  for (let left = 1 + Math.floor(Math.random() * 5); left > 0; --left) {
    text += pieces[Math.floor(Math.random() * pieces.length)];
  }
  return text;
}

function compare(pattern) {
  const original = new RegExp(pattern, 'i');
  const rewritten = new RegExp(withoutLookaround(pattern), 'i');
  const pieces = piecesOf(pattern);
  let found = 0;
  for (let i = 0; i < TEXTS; ++i) {
    const text = draw(pieces);
    assert.strictEqual(rewritten.test(text), original.test(text), `${pattern} in ${JSON.stringify(text)}`);
    found += original.test(text) ? 1 : 0;
  }
  assert.ok(found > 0 && found < TEXTS, `${pattern}: ${found} of ${TEXTS} texts`);
}

test('rewritten patterns are found in the same texts', () => {
  const patterns = list.filter((pattern) => /\(\?<?!/.test(pattern));
  assert.ok(patterns.length > 0);
  patterns.forEach(compare);
  ['(?<!ab|b)c(?!d)', '(?<!aab|ab)c', 'c(?!(?:dd|de))', '(?<! x|x)y(?!z|zz)'].forEach(compare);
});

test('other patterns stay as they are', () => {
  for (const pattern of ['a(?:b|c)', '^bot', 'a\\(\\?!b', 'a(?=b)', 'a(?!b*)', '(?<!\\d)a']) {
    assert.strictEqual(withoutLookaround(pattern), pattern);
  }
});
