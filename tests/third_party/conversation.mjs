// What the scripts have in common: the test tells them what to use, opens pages for them, and reads what came of it.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async () => JSON.parse((await lines.next()).value);
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

export const told = await hear();

/** Have the person open an address and allow what it asks; return what their browser brings back. */
export async function open(address) {
  say({ open: String(address) });
  const { returned, posted } = await hear();
  return posted ? new Request(returned, { method: "POST", body: new URLSearchParams(posted) }) : new URL(returned);
}

/** Have the person let a device in, at the address that it shows. */
export const showOnDevice = (address) => say({ device: String(address) });

/** Have the person open an address that signs them out; return where their browser is sent. */
export async function leave(address) {
  say({ leave: String(address) });
  return (await hear()).returned;
}

export function finish(results) {
  say({ results });
  process.exit(0);
}
