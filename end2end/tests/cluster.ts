// What the stories need: an overview of their own, agents as separate processes, and a page on which
// any console error fails the story.

import { ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { AddressInfo, createServer } from 'node:net';
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

/** What a story says of a component; all else is as a well server would say it. */
export type Beat = {
  server: string;
  role?: 'web' | 'service';
  product?: string;
  os?: { name: string; version: string };
  ip?: string;
  version?: string;
  /** The text of a key, not its check. */
  key?: string | null;
  machineKey?: string | null;
  boot_id?: string;
  sequence?: number;
  sent_at?: string;
  /** Where its service messenger listens. */
  messenger_port?: number;
  leaving?: boolean;
};

/** What a server reports of a key with this text. */
export const keyCheck = (key: string) => 
  createHmac('sha256', key).update('cluster-overview/key-check/v1').digest('hex');

/** The digits of it that the page shows. */
export const digits = (key: string) => keyCheck(key).slice(0, 8);

/** Longer than a busy machine needs to start or end a process, or to answer. */
const SOON_MS = 20_000;

/** What is awaited, or after some time an error that names it: what never comes must not look like a slow story. */
export const soon = async <T>(what: string, awaited: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${SOON_MS / 1000} s in vain for ${what}`)), SOON_MS);
  });
  return Promise.race([awaited, late]).finally(() => clearTimeout(timer));
};

/** `fetch`, with a deadline. */
export const ask = (url: URL | string, how: RequestInit = {}) =>
  fetch(url, { signal: AbortSignal.timeout(SOON_MS), ...how });

const token = 'a-join-token-for-stories';

/** What people sign in with. */
export const password = 'correct horse battery';

export class Cluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'cluster-overview-'));
  url = '';
  private tokenFile = join(this.folder, 'join-token');
  /** All that each process has written. */
  private said = new Map<string, string>();
  private secrets = new Set<string>([token, password]);
  private children = new Map<string, ChildProcess>();
  private boots = new Map<string, string>();
  private sequence = 0;
  private beating = new Set<() => Promise<void>>();

  /** What makes the first admin, where people sign in. */
  setupCode = '';
  readonly program = binary;
  /** What the processes find in their environment besides. */
  environment: Record<string, string> = {};
  /** What heartbeats bear. */
  token = token;
  readonly database = `sqlite:${join(this.folder, 'overview.db')}`;

  async start(reportSelf = 'none', basePath = '/', auth = 'none') {
    writeFileSync(this.tokenFile, `${token}\n`, { mode: 0o600 });
    const port = this.url === '' ? '0' : new URL(this.url).port;
    const serve = this.run('serve', [
      'serve', '--auth', auth, '--listen', `127.0.0.1:${port}`,
      '--database', this.database,
      '--join-token-file', this.tokenFile, '--report-self', reportSelf, '--name', 'this-server', '--base-path', basePath,
    ]);
    this.url = await soon('the line that says where it listens', new Promise<string>((resolve, reject) => {
      let said = '';
      serve.stdout?.on('data', (chunk) => {
        said += chunk;
        this.setupCode = said.match(/Set-up code .*: (\S+)/)?.[1] ?? '';
        const url = said.match(/Cluster Overview at (\S+)/);
        if (url) resolve(url[1]);
      });
      serve.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${said}`)));
    }));
  }

  /** Starts an agent; `key` is the text of its encryption key. */
  agent(name: string, role: 'web' | 'service', options: { key?: string; version?: string; messengerPort?: number } = {}) {
    const keyFile = join(this.folder, `${name}.key`);
    writeFileSync(keyFile, options.key ?? 'the key of the cluster');
    return this.run(`${name} ${role}`, [
      'agent', '--overview', this.url, '--token-file', this.tokenFile, '--name', name, '--role', role,
      '--product', 'ProGet', '--product-version', options.version ?? '2026.2.1',
      '--encryption-key-file', keyFile,
      ...(options.messengerPort ? ['--messenger-port', String(options.messengerPort)] : []),
    ]);
  }

  /** Reports components as a simple client does, all in one request. */
  async beats(beats: Beat[]) {
    const heartbeats = beats.map(({ key, machineKey, ...said }) => {
      const role = said.role ?? 'service';
      const who = `${said.server} ${role}`;
      const boot = said.boot_id ?? this.boots.get(who) ?? randomUUID();
      this.boots.set(who, boot);
      return {
        product: 'ProGet', version: '2026.2.1', os: { name: 'Debian GNU/Linux', version: '12' }, ip: '10.0.0.11',
        ...said,
        role, boot_id: boot, sequence: said.sequence ?? (this.sequence += 1),
        key_check: key === null ? null : keyCheck(key ?? 'the key of the cluster'),
        machine_key_check: machineKey ? keyCheck(machineKey) : null,
      };
    });
    const answer = await ask(new URL('api/v1/heartbeats', this.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
      body: JSON.stringify(heartbeats),
    });
    expect(answer.status, await answer.text()).toBe(200);
  }

  async beat(beat: Beat) {
    await this.beats([beat]);
  }

  /** Goes on reporting these components, well within an interval of 1 s; what is returned ends it. */
  async keepBeating(beats: Beat[]) {
    await this.beats(beats);
    let under_way: Promise<unknown> = Promise.resolve();
    const timer = setInterval(() => {
      under_way = this.beats(beats).catch(() => {});
    }, 400);
    const stop = async () => {
      clearInterval(timer);
      this.beating.delete(stop);
      await under_way;
    };
    this.beating.add(stop);
    return stop;
  }

  /** Locks the database as a stuck backup would; what is returned lets it go. */
  async lockDatabase() {
    const script =
      'import sqlite3, sys\n' +
      'held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)\n' +
      "held.execute('begin exclusive')\n" +
      "print('locked', flush=True)\n" +
      'sys.stdin.read()';
    const child = spawn('python3', ['-c', script, join(this.folder, 'overview.db')]);
    this.children.set('lock', child);
    this.hear('lock', child);
    await soon('the lock', new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`the lock ended with ${code}`)));
    }));
    return () => this.end('lock', 'SIGKILL');
  }

  /** The overview for a terminal. */
  status(overview = this.url) {
    return spawnSync(binary, ['status', '--overview', overview], { encoding: 'utf8', timeout: SOON_MS });
  }

  private run(what: string, args: string[]) {
    const env = { ...process.env, ...this.environment };
    const child = spawn(binary, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.hear(what, child);
    this.children.set(what, child);
    return child;
  }

  /** From now on what a process writes is part of the log that a failed story shows. */
  hear(what: string, child: ChildProcess) {
    for (const out of [child.stdout, child.stderr]) {
      out?.on('data', (chunk) => this.said.set(what, (this.said.get(what) ?? '') + chunk));
    }
  }

  /** Prints what the processes of a failed story have written. */
  printLog() {
    for (const [what, said] of this.said) console.log(`--- ${what}\n${said}`);
  }

  /** Ends a process: `SIGKILL` without a word, `SIGTERM` with a goodbye. */
  async end(what: string, signal: NodeJS.Signals) {
    const child = this.children.get(what);
    this.children.delete(what);
    if (!child || child.exitCode !== null) return;
    await gone(child, what, signal);
  }

  /** Stops a process without ending it, or lets it go on: `SIGSTOP`, `SIGCONT`. */
  signal(what: string, signal: NodeJS.Signals) {
    this.children.get(what)?.kill(signal);
  }

  async configure(settings: Settings) {
    const answer = await ask(new URL('api/v1/settings', this.url), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(settings),
    });
    expect(answer.status).toBe(200);
  }

  async settings(): Promise<Settings> {
    return (await ask(new URL('api/v1/settings', this.url))).json();
  }

  async overview() {
    return (await ask(new URL('api/v1/overview', this.url))).json();
  }

  /** No process may ever write this. */
  keepSecret(secret: string) {
    this.secrets.add(secret);
  }

  async stop() {
    for (const stop of [...this.beating]) await stop();
    for (const what of [...this.children.keys()]) await this.end(what, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
    const said = [...this.said.values()].join('\n');
    for (const secret of this.secrets) expect(said, 'no secret in what the processes write').not.toContain(secret);
  }
}

/** Ends a process and waits until it has ended; its exit code. */
export const gone = async (child: ChildProcess, what: string, signal: NodeJS.Signals) => {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return soon(`${what} to end`, ended);
};

/** The block of a server in the table. */
export const server = (page: Page, name: string): Locator => page.locator(`[data-server="${name}"]`);

/** The line of one of its components. */
export const line = (page: Page, name: string, role: 'web' | 'service'): Locator =>
  server(page, name).locator(`[data-role="${role}"]`);

/** The links of a component's line to the hints about one of its facts. */
export const why = (page: Page, name: string, role: 'web' | 'service', column: string): Locator =>
  line(page, name, role).locator(`[data-label="${column}"]`).getByRole('link', { name: /^how to fix: / });

/** The servers the table shows, in its order. */
export const shown = (page: Page) =>
  page.locator('[data-server]').evaluateAll((blocks) => blocks.map((block) => (block as HTMLElement).dataset.server));

/** A hint, by its anchor. */
export const hint = (page: Page, anchor: string): Locator => page.locator(`article[id="hint-${anchor}"]`);

/** A port at which nobody listens. */
export const freePort = () =>
  new Promise<number>((resolve) => {
    const listener = createServer().listen(0, '127.0.0.1', () => {
      const { port } = listener.address() as AddressInfo;
      listener.close(() => resolve(port));
    });
  });

/** Which element has the keyboard. */
export const focused = (page: Page) =>
  page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName);

/** How far the page can be scrolled sideways. */
export const sideways = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Opens an address of the page; with scripts, waits until they have taken over. */
export const open = async (page: Page, address: string, scripts = true) => {
  await page.goto(address);
  if (scripts) await hydrated(page);
};

/** Resolves once the page's wasm half has taken over. */
export const hydrated = (page: Page) =>
  expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');

/** A panic without the places in wasm it came through. */
const legible = (text: string) => text.split('\n').filter((line) => !/^\s*(at .*|Stack:|Error)?$/.test(line)).join(' ');

/** From its next document on a page can only ask, and not listen. */
export const deafen = (page: Page) =>
  page.addInitScript(() => { delete (globalThis as { EventSource?: unknown }).EventSource; });

type Options = { auth: 'none' | 'password'; forgiven: RegExp; deaf: boolean };

export const test = base.extend<{ cluster: Cluster } & Options>({
  // How people prove who they are. Where they sign in, the overview reports itself.
  auth: ['none', { option: true }],
  // What a story expects on the console: a story that stops the server expects failed requests.
  forgiven: [/^$/, { option: true }],
  // Whether the page can only ask, and not listen. Every story passes either way: CLUSTER_OVERVIEW_DEAF=1.
  deaf: [process.env.CLUSTER_OVERVIEW_DEAF === '1', { option: true }],
  cluster: async ({ auth }, use, story) => {
    const cluster = new Cluster();
    await cluster.start(auth === 'none' ? 'none' : 'web,service', '/', auth);
    await use(cluster);
    if (story.status !== story.expectedStatus) cluster.printLog();
    await cluster.stop();
  },
  page: async ({ page, cluster, forgiven, deaf, javaScriptEnabled }, use) => {
    if (deaf) await deafen(page);
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(legible(message.text()));
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await use(page);
    // A story may end while a request that it rewrites is under way.
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    for (const { value } of await page.context().cookies()) cluster.keepSecret(value);
    // Without scripts nobody takes what was fetched for them in advance.
    const unused = javaScriptEnabled === false ? /was preloaded using link preload but not used/ : /^$/;
    const unexpected = complaints.filter((text) => !forgiven.test(text) && !unused.test(text));
    expect(unexpected, 'nothing on the console').toEqual([]);
  },
});

export { expect };
