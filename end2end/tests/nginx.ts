// A real nginx for a story.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, fetchWithDeadline, terminate } from './cluster';

/** Starts nginx and waits until it answers at `url`; returns a function that ends it. */
export async function startNginx(configuration: string, url: string) {
  const folder = mkdtempSync(join(tmpdir(), 'overview-nginx-'));
  const file = join(folder, 'nginx.conf');
  // Its workers must be able to write to the folder.
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  writeFileSync(file, user + configuration);
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn('nginx', ['-p', folder, '-e', join(folder, 'log'), '-c', file], { env, stdio: 'ignore' });
  await expect.poll(() => fetchWithDeadline(url).then((answer) => answer.status, () => 0)).toBe(200);
  return async () => {
    await terminate(child, 'nginx', 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
}
