import assert from 'node:assert/strict';
import {setTimeout as pause} from 'node:timers/promises';

const waitMsMax = 10_000;
const lookAgainMs = 20;

// Returns when the condition holds. Fails if it does not hold within the time.
export async function eventually(what, condition, msMax = waitMsMax) {
  const deadline = Date.now() + msMax;
  while (!(await condition())) {
    if (Date.now() > deadline) assert.fail(`not within ${msMax / 1000} s: ${what}`);
    await pause(lookAgainMs);
  }
}

// Returns when `read` returns `expected`. Otherwise fails with the value that it returned last.
export async function becomes(expected, read, msMax = waitMsMax) {
  const deadline = Date.now() + msMax;
  let actual = await read();
  while (actual !== expected && Date.now() < deadline) {
    await pause(lookAgainMs);
    actual = await read();
  }
  assert.equal(actual, expected);
}
