// The fixtures of the stories: an overview for each story, agents as separate processes, and a page on which any
// console error fails the story.

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

/** The shortest timers that cause no hint. */
export const quickTimers: Settings = {
  load_balancing: false,
  automatic_failover: false,
  heartbeat_interval_s: 1,
  stale_timeout_s: 4,
  web_window_s: 60,
};

/** What a story reports about a component. The defaults are those of a healthy server. */
export type Heartbeat = {
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
  /** The port of its service messenger. */
  messenger_port?: number;
  leaving?: boolean;
};

/** The key check that a server reports for a key with this text. */
export const keyCheck = (key: string) => 
  createHmac('sha256', key).update('cluster-overview/key-check/v1').digest('hex');

/** The digits of the key check that the page shows. */
export const digits = (key: string) => keyCheck(key).slice(0, 8);

/** Longer than a busy machine needs to start or end a process, or to answer. */
const DEADLINE_MS = 20_000;

/** Fails with an error that names what never came, so that it does not look like a slow story. */
export const withDeadline = async <T>(what: string, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${DEADLINE_MS / 1000} s for ${what}`)), DEADLINE_MS);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
};

export const fetchWithDeadline = (url: URL | string, options: RequestInit = {}) =>
  fetch(url, { signal: AbortSignal.timeout(DEADLINE_MS), ...options });

const token = 'a-join-token-for-stories';

/** The password of every user. */
export const password = 'correct horse battery';

export class Cluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'cluster-overview-'));
  url = '';
  private tokenFile = join(this.folder, 'join-token');
  /** The output of each process. */
  private output = new Map<string, string>();
  private secrets = new Set<string>([token, password]);
  private children = new Map<string, ChildProcess>();
  private boots = new Map<string, string>();
  private sequence = 0;
  private heartbeatLoops = new Set<() => Promise<void>>();

  /** The code that creates the first admin, if users sign in. */
  setupCode = '';
  readonly program = binary;
  /** Additional environment variables of the processes. */
  environment: Record<string, string> = {};
  /** The token of heartbeats. */
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
    this.url = await withDeadline('the line that says where it listens', new Promise<string>((resolve, reject) => {
      let text = '';
      serve.stdout?.on('data', (chunk) => {
        text += chunk;
        this.setupCode = text.match(/Set-up code .*: (\S+)/)?.[1] ?? '';
        const url = text.match(/Cluster Overview at (\S+)/);
        if (url) resolve(url[1]);
      });
      serve.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${text}`)));
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

  /** Reports components in one request, as a simple client does. */
  async sendHeartbeats(components: Heartbeat[]) {
    const heartbeats = components.map(({ key, machineKey, ...facts }) => {
      const role = facts.role ?? 'service';
      const id = `${facts.server} ${role}`;
      const boot = facts.boot_id ?? this.boots.get(id) ?? randomUUID();
      this.boots.set(id, boot);
      return {
        product: 'ProGet', version: '2026.2.1', os: { name: 'Debian GNU/Linux', version: '12' }, ip: '10.0.0.11',
        ...facts,
        role, boot_id: boot, sequence: facts.sequence ?? (this.sequence += 1),
        key_check: key === null ? null : keyCheck(key ?? 'the key of the cluster'),
        machine_key_check: machineKey ? keyCheck(machineKey) : null,
      };
    });
    const answer = await fetchWithDeadline(new URL('api/v1/heartbeats', this.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
      body: JSON.stringify(heartbeats),
    });
    expect(answer.status, await answer.text()).toBe(200);
  }

  async sendHeartbeat(component: Heartbeat) {
    await this.sendHeartbeats([component]);
  }

  /** Reports these components every 400 ms; returns a function that stops it. */
  async keepSendingHeartbeats(components: Heartbeat[]) {
    await this.sendHeartbeats(components);
    let pending: Promise<unknown> = Promise.resolve();
    const timer = setInterval(() => {
      pending = this.sendHeartbeats(components).catch(() => {});
    }, 400);
    const stop = async () => {
      clearInterval(timer);
      this.heartbeatLoops.delete(stop);
      await pending;
    };
    this.heartbeatLoops.add(stop);
    return stop;
  }

  /** Locks the database, as a stuck backup would; returns a function that releases it. */
  async lockDatabase() {
    const script =
      'import sqlite3, sys\n' +
      'held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)\n' +
      "held.execute('begin exclusive')\n" +
      "print('locked', flush=True)\n" +
      'sys.stdin.read()';
    const child = spawn('python3', ['-c', script, join(this.folder, 'overview.db')]);
    this.children.set('lock', child);
    this.collectOutput('lock', child);
    await withDeadline('the lock', new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`the lock ended with ${code}`)));
    }));
    return () => this.endProcess('lock', 'SIGKILL');
  }

  /** Runs `cluster-overview status`. */
  status(overview = this.url) {
    return spawnSync(binary, ['status', '--overview', overview], { encoding: 'utf8', timeout: DEADLINE_MS });
  }

  private run(what: string, args: string[]) {
    const env = { ...process.env, ...this.environment };
    const child = spawn(binary, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.collectOutput(what, child);
    this.children.set(what, child);
    return child;
  }

  /** Adds the output of a process to the log that is printed if the story fails. */
  collectOutput(what: string, child: ChildProcess) {
    for (const out of [child.stdout, child.stderr]) {
      out?.on('data', (chunk) => this.output.set(what, (this.output.get(what) ?? '') + chunk));
    }
  }

  printLog() {
    for (const [what, text] of this.output) console.log(`--- ${what}\n${text}`);
  }

  /** Ends a process: `SIGTERM` cleanly, `SIGKILL` not. */
  async endProcess(what: string, signal: NodeJS.Signals) {
    const child = this.children.get(what);
    this.children.delete(what);
    if (!child || child.exitCode !== null) return;
    await terminate(child, what, signal);
  }

  /** Pauses a process, or lets it continue: `SIGSTOP`, `SIGCONT`. */
  signalProcess(what: string, signal: NodeJS.Signals) {
    this.children.get(what)?.kill(signal);
  }

  async saveSettings(settings: Settings) {
    const answer = await fetchWithDeadline(new URL('api/v1/settings', this.url), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(settings),
    });
    expect(answer.status).toBe(200);
  }

  async settings(): Promise<Settings> {
    return (await fetchWithDeadline(new URL('api/v1/settings', this.url))).json();
  }

  async overview() {
    return (await fetchWithDeadline(new URL('api/v1/overview', this.url))).json();
  }

  /** Fails the story if a process writes this. */
  expectNeverLogged(secret: string) {
    this.secrets.add(secret);
  }

  async stop() {
    for (const stop of [...this.heartbeatLoops]) await stop();
    for (const what of [...this.children.keys()]) await this.endProcess(what, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
    const log = [...this.output.values()].join('\n');
    for (const secret of this.secrets) expect(log, 'no secret in the output of the processes').not.toContain(secret);
  }
}

/** Ends a process, waits for its end, and returns its exit code. */
export const terminate = async (child: ChildProcess, what: string, signal: NodeJS.Signals) => {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return withDeadline(`${what} to end`, ended);
};

/** The row group of a server in the table. */
export const server = (page: Page, name: string): Locator => page.locator(`[data-server="${name}"]`);

/** One of its components, with its pulse. */
export const component = (page: Page, name: string, role: 'web' | 'service'): Locator =>
  server(page, name).locator(`.chip[data-role="${role}"]`);

/** The class of a column in the table. */
const columnClass = (heading: string) => heading.toLowerCase().replace(' ', '-');

/** The line about a problem that one of its components has in a column. */
export const problem = (page: Page, name: string, role: 'web' | 'service', column: string): Locator =>
  server(page, name).locator(`.problem[data-about~="${role}"][data-column="${columnClass(column)}"]`);

/** The link from a problem to its hint. */
export const hintLink = (page: Page, name: string, role: 'web' | 'service', column: string): Locator =>
  problem(page, name, role, column).getByRole('link', { name: /^how to fix: / });

/** What its line says in a column. */
export const value = (page: Page, name: string, column: string): Locator =>
  server(page, name).locator(`.table-row .${columnClass(column)}`);

/** The names of the servers in the table, in order. */
export const shownServers = (page: Page) =>
  page.locator('[data-server]').evaluateAll((blocks) => blocks.map((block) => (block as HTMLElement).dataset.server));

/** A hint by its anchor. */
export const hint = (page: Page, anchor: string): Locator => page.locator(`[id="hint-${anchor}"]`);

/** That the page shows a new server, and then that its service stops, each within this time. */
export const expectUpdates = async (cluster: Cluster, page: Page, timeout: number) => {
  await cluster.sendHeartbeat({ server: 'app-2' });
  await expect(server(page, 'app-2')).toHaveCount(1, { timeout });
  await cluster.sendHeartbeat({ server: 'app-2', leaving: true });
  await expect(component(page, 'app-2', 'service')).toHaveAttribute('data-pulse', 'stopped', { timeout });
};

/** A port on which nothing listens. */
export const freePort = () =>
  new Promise<number>((resolve) => {
    const listener = createServer().listen(0, '127.0.0.1', () => {
      const { port } = listener.address() as AddressInfo;
      listener.close(() => resolve(port));
    });
  });

/** The id of the focused element, or its tag name. */
export const focusedId = (page: Page) =>
  page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName);

/** How many pixels the page is too wide. */
export const horizontalOverflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Opens an address of the page, and with scripts waits until it is hydrated. */
export const openPage = async (page: Page, address: string, scripts = true) => {
  await page.goto(address);
  if (scripts) await waitForHydration(page);
};

export const waitForHydration = (page: Page) =>
  expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');

/** A panic without its wasm stack. */
const withoutStack = (text: string) => text.split('\n').filter((line) => !/^\s*(at .*|Stack:|Error)?$/.test(line)).join(' ');

/** From its next document on, the page has no event stream and can only poll. */
export const disableEventSource = (page: Page) =>
  page.addInitScript(() => { delete (globalThis as { EventSource?: unknown }).EventSource; });

type Options = { auth: 'none' | 'password'; allowedOnConsole: RegExp; pollingOnly: boolean };

export const test = base.extend<{ cluster: Cluster } & Options>({
  // How users authenticate. With a password the overview reports itself.
  auth: ['none', { option: true }],
  // Console messages that a story expects: one that stops the server expects failed requests.
  allowedOnConsole: [/^$/, { option: true }],
  // Whether the page has no event stream. Every story passes either way: CLUSTER_OVERVIEW_POLLING_ONLY=1.
  pollingOnly: [process.env.CLUSTER_OVERVIEW_POLLING_ONLY === '1', { option: true }],
  cluster: async ({ auth }, use, story) => {
    const cluster = new Cluster();
    await cluster.start(auth === 'none' ? 'none' : 'web,service', '/', auth);
    await use(cluster);
    if (story.status !== story.expectedStatus) cluster.printLog();
    await cluster.stop();
  },
  page: async ({ page, cluster, allowedOnConsole, pollingOnly, javaScriptEnabled }, use) => {
    if (pollingOnly) await disableEventSource(page);
    const messages: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) messages.push(withoutStack(message.text()));
    });
    page.on('pageerror', (error) => messages.push(String(error)));
    await use(page);
    // A story may end while a request that it rewrites is under way.
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    for (const { value } of await page.context().cookies()) cluster.expectNeverLogged(value);
    // Without scripts nothing uses the preloaded files.
    const unused = javaScriptEnabled === false ? /was preloaded using link preload but not used/ : /^$/;
    const unexpected = messages.filter((text) => !allowedOnConsole.test(text) && !unused.test(text));
    expect(unexpected, 'nothing on the console').toEqual([]);
  },
});

export { expect };
