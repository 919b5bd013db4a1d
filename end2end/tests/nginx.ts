// A real nginx for one story.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, expect, gone } from './cluster';

/** Starts nginx with a whole configuration; returns what ends it, once it answers at `url`. */
export async function nginx(configuration: string, url: string) {
  const folder = mkdtempSync(join(tmpdir(), 'overview-nginx-'));
  const file = join(folder, 'nginx.conf');
  // Its workers stay who started it, and may write where it may.
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  writeFileSync(file, user + configuration);
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn('nginx', ['-p', folder, '-e', join(folder, 'log'), '-c', file], { env, stdio: 'ignore' });
  await expect.poll(() => ask(url).then((answer) => answer.status, () => 0)).toBe(200);
  return async () => {
    await gone(child, 'nginx', 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
}
