// What the scripts have in common: the test tells them what to use, opens pages for them, and reads what came of it.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async () => JSON.parse((await lines.next()).value);
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

export const told = await hear();

/** Have the person open an address; return where their browser was sent back to. */
export async function open(address) {
  say({ open: String(address) });
  return new URL((await hear()).returned);
}

export function finish(results) {
  say({ results });
  process.exit(0);
}
