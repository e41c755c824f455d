import assert from 'node:assert/strict';
import {setTimeout as pause} from 'node:timers/promises';

const waitMsMax = 10_000;
const lookAgainMs = 20;

// Returns when the condition holds; fails when it does not within the time.
export async function eventually(what, condition, msMax = waitMsMax) {
  const deadline = Date.now() + msMax;
  while (!(await condition())) {
    if (Date.now() > deadline) assert.fail(`not within ${msMax / 1000} s: ${what}`);
    await pause(lookAgainMs);
  }
}

// Returns when `read` gives `expected`; fails with what it gives instead.
export async function becomes(expected, read, msMax = waitMsMax) {
  const deadline = Date.now() + msMax;
  let actual = await read();
  while (actual !== expected && Date.now() < deadline) {
    await pause(lookAgainMs);
    actual = await read();
  }
  assert.equal(actual, expected);
}
