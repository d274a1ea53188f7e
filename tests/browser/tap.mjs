// The little of TAP that the browser tests need.

const counts = { passed: 0, failed: 0, skipped: 0 };

export function ok(condition, what, ...notes) {
  counts[condition ? 'passed' : 'failed']++;
  print(condition ? 'ok' : 'not ok', what);
  if (!condition) notes.forEach(note);
  return Boolean(condition);
}

export function is(got, wanted, what) {
  return ok(Object.is(got, wanted), what, `got:    ${got}`, `wanted: ${wanted}`);
}

// An empty list is what we want; otherwise its members say what is wrong.
export function none(faults, what) {
  return ok(faults.length === 0, what, ...faults);
}

export function skip(what, why) {
  counts.skipped++;
  print('ok', `${what} # SKIP ${why}`);
}

export function note(text) {
  console.log(String(text).replace(/^/gm, '#   '));
}

// A group that throws has failed; the groups after it still run.
export async function group(what, run) {
  try {
    await run();
  } catch (error) {
    ok(false, what, error.stack ?? error);
  }
}

// Prints the plan and the sum; true when nothing failed.
export function done() {
  const { passed, failed, skipped } = counts;
  console.log(`1..${passed + failed + skipped}`);
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
  return failed === 0 && passed > 0;
}

function print(result, what) {
  console.log(`${result} ${counts.passed + counts.failed + counts.skipped} - ${what}`);
}
