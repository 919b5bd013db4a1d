// What the stories need: an overview of their own, agents as separate processes, and a page on which
// any console error fails the story.

import { ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test as base, Page, Locator } from '@playwright/test';

const binary = process.env.CLUSTER_OVERVIEW_BIN ?? join(__dirname, '../../target/debug/cluster-overview');

export type Settings = {
  load_balancing: boolean;
  automatic_failover: boolean;
  heartbeat_interval_s: number;
  stale_timeout_s: number;
  web_window_s: number;
};

/** Timers as short as they may be without a hint of their own. */
export const quick: Settings = {
  load_balancing: false,
  automatic_failover: false,
  heartbeat_interval_s: 1,
  stale_timeout_s: 4,
  web_window_s: 60,
};

export class Cluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'cluster-overview-'));
  url = '';
  private tokenFile = join(this.folder, 'join-token');
  private children = new Map<string, ChildProcess>();

  async start(reportSelf = 'none') {
    writeFileSync(this.tokenFile, 'a-join-token-for-stories\n', { mode: 0o600 });
    const port = this.url === '' ? '0' : new URL(this.url).port;
    const serve = this.run('serve', [
      'serve', '--listen', `127.0.0.1:${port}`,
      '--database', `sqlite:${join(this.folder, 'overview.db')}`,
      '--join-token-file', this.tokenFile, '--report-self', reportSelf, '--name', 'this-server',
    ]);
    this.url = await new Promise<string>((resolve, reject) => {
      let said = '';
      serve.stdout?.on('data', (chunk) => {
        said += chunk;
        const url = said.match(/Cluster Overview at (\S+)/);
        if (url) resolve(url[1]);
      });
      serve.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${said}`)));
    });
  }

  /** Starts an agent; `key` is the text of its encryption key. */
  agent(name: string, role: 'web' | 'service', options: { key?: string; version?: string } = {}) {
    const keyFile = join(this.folder, `${name}.key`);
    writeFileSync(keyFile, options.key ?? 'the key of the cluster');
    return this.run(`${name} ${role}`, [
      'agent', '--overview', this.url, '--token-file', this.tokenFile, '--name', name, '--role', role,
      '--product', 'ProGet', '--product-version', options.version ?? '2026.2.1',
      '--encryption-key-file', keyFile,
    ]);
  }

  /** The overview for a terminal. */
  status(overview = this.url) {
    return spawnSync(binary, ['status', '--overview', overview], { encoding: 'utf8' });
  }

  private run(what: string, args: string[]) {
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr?.resume();
    this.children.set(what, child);
    return child;
  }

  /** Ends a process: `SIGKILL` without a word, `SIGTERM` with a goodbye. */
  async end(what: string, signal: NodeJS.Signals) {
    const child = this.children.get(what);
    this.children.delete(what);
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  async configure(settings: Settings) {
    const answer = await fetch(new URL('api/v1/settings', this.url), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(settings),
    });
    expect(answer.status).toBe(200);
  }

  async overview() {
    return (await fetch(new URL('api/v1/overview', this.url))).json();
  }

  async stop() {
    for (const what of [...this.children.keys()]) await this.end(what, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The block of a server in the table. */
export const server = (page: Page, name: string): Locator => page.locator(`[data-server="${name}"]`);

/** The line of one of its components. */
export const line = (page: Page, name: string, role: 'web' | 'service'): Locator =>
  server(page, name).locator(`[data-role="${role}"]`);

/** Resolves once the page's wasm half has taken over. */
export const hydrated = (page: Page) =>
  expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');

export const test = base.extend<{ cluster: Cluster; forgiven: RegExp }>({
  // What a story expects on the console: a story that stops the server expects failed requests.
  forgiven: [/^$/, { option: true }],
  cluster: async ({}, use) => {
    const cluster = new Cluster();
    await cluster.start();
    await use(cluster);
    await cluster.stop();
  },
  page: async ({ page, forgiven }, use) => {
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await use(page);
    const unexpected = complaints.filter((text) => !forgiven.test(text));
    expect(unexpected, 'nothing on the console').toEqual([]);
  },
});

export { expect };
