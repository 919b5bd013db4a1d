// Does the package work on a clean Debian: install, report, sign in, upgrade, remove? The story creates the Debian
// in a folder of its own. Its programs share this machine's network and nothing else.

import { ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from '@playwright/test';
import { freePort, password } from '../tests/cluster';

const { PACKAGE = '', LATER_PACKAGE = '' } = process.env;
const SUITE = 'bookworm';
const STATE = '/var/lib/cluster-overview';
const readme = readFileSync(join(__dirname, '../../README.md'), 'utf8');

/** Adds `sudo` to a command if the story does not run as root. */
const asRoot = (...command: string[]) => (process.getuid?.() === 0 ? command : ['sudo', '-n', ...command]);
const run = (command: string[], options = {}) =>
  execFileSync(command[0], command.slice(1), { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], ...options });

class Debian {
  readonly root = join(mkdtempSync(join(tmpdir(), 'clean-debian-')), 'root');
  private started = new Map<string, ChildProcess>();

  constructor() {
    run(asRoot('debootstrap', '--variant=minbase', SUITE, this.root));
  }

  /** Runs a line of shell in it, as root. */
  sh(line: string, input = '') {
    return run(this.chrootCommand({ DEBIAN_FRONTEND: 'noninteractive' }, [], line), { input });
  }

  /** The command that runs a line of shell in it, with this environment only. `as` are chroot's options for the user. */
  private chrootCommand(environment: Record<string, string>, as: string[], line: string) {
    const all = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ...environment };
    const variables = Object.entries(all).map(([name, value]) => `${name}=${value}`);
    return asRoot('env', '-i', ...variables, 'chroot', ...as, this.root, 'sh', '-ec', line);
  }

  install(deb: string) {
    run(asRoot('cp', deb, join(this.root, 'tmp')));
    return this.sh(`apt-get install -y --no-install-recommends /tmp/${basename(deb)}`);
  }

  /** Starts a unit's command as its user in its folder, as systemd does, and waits for a line of its output. */
  async start(unit: string, environment: Record<string, string>, ready: RegExp) {
    const text = this.sh(`cat /usr/lib/systemd/system/${unit}.service`);
    const setting = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)![1];
    const line = `cd ${setting('WorkingDirectory')} && umask ${setting('UMask')} && exec ${setting('ExecStart')}`;
    const [command, ...rest] = this.chrootCommand(environment, [`--userspec=${setting('User')}:${setting('Group')}`], line);
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.started.set(unit, child);
    return new Promise<string>((resolve, reject) => {
      let text = '';
      for (const out of [child.stdout, child.stderr]) {
        out.on('data', (chunk) => {
          text += chunk;
          if (ready.test(text)) resolve(text);
        });
      }
      child.once('exit', (code) => reject(new Error(`${unit} ended with ${code}: ${text}`)));
    });
  }

  async stop(unit: string) {
    const child = this.started.get(unit);
    this.started.delete(unit);
    if (!child) return;
    child.removeAllListeners('exit');
    const exit = new Promise((resolve) => child.once('exit', resolve));
    run(asRoot('kill', String(child.pid)));
    expect(await exit).toBe(0);
  }

  async end() {
    for (const unit of [...this.started.keys()]) await this.stop(unit).catch(() => {});
    rmSync(join(this.root, '..'), { recursive: true, force: true });
  }
}

/** The README's block in this language that sends a heartbeat. */
const snippet = (language: string) =>
  readme.split(`\`\`\`${language}\n`).slice(1).map((rest) => rest.split('```')[0]).find((block) => block.includes('api/v1/heartbeats'))!;

test('the package can be installed, used, upgraded and removed', async ({ page }) => {
  const debian = await test.step('a clean Debian', () => new Debian());
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const listen = { CLUSTER_OVERVIEW_LISTEN: `127.0.0.1:${port}` };
  const mine = join(debian.root, '../join-token');
  try {
    await test.step('install', async () => {
      debian.install(PACKAGE);
      expect(debian.sh('stat -c "%U %G %a" /var/lib/cluster-overview')).toBe('cluster-overview cluster-overview 700\n');
      expect(debian.sh('cluster-overview --version')).toMatch(/^cluster-overview \d/);
      expect(debian.sh('cluster-overview help serve')).toContain('--config-file');
    });

    await test.step('start both units', async () => {
      const output = await debian.start('cluster-overview', listen, /Set-up code/);
      expect(output).toContain(`${STATE}/overview.db.join-token`);
      // The admin hands the token on, to the group that may read it.
      debian.sh(`install -m 640 -g cluster-overview ${STATE}/overview.db.join-token /etc/cluster-overview/join-token`);
      await debian.start('cluster-overview-agent', { CLUSTER_OVERVIEW_OVERVIEW: url, CLUSTER_OVERVIEW_NAME: 'agent-1' }, /the overview accepts the heartbeats of this server/);
    });

    const viewer = await test.step('heartbeats of other languages', async () => {
      run(asRoot('install', '-m', '600', '-o', String(process.getuid?.()), join(debian.root, `${STATE}/overview.db.join-token`), mine));
      const env = { ...process.env, OVERVIEW: url, TOKEN_FILE: mine };
      expect(run(['sh', '-ec', snippet('sh')], { env })).toContain('"applied":true');
      const python = spawn('python3', ['-c', snippet('python').replace('app-1', 'app-2')], { env, stdio: 'ignore' });
      const token = debian.sh(`cluster-overview token create --role viewer --name story --database sqlite:${STATE}/overview.db`).trim();
      const known = async () => {
        const answer = await fetch(`${url}/api/v1/overview`, { headers: { authorization: `Bearer ${token}` } });
        const { servers = [] } = await answer.json();
        return servers.map(({ name }: { name: string }) => name).sort();
      };
      await expect.poll(known, { timeout: 20_000 }).toEqual(expect.arrayContaining(['agent-1', 'app-1', 'app-2']));
      python.kill();
      return token;
    });

    await test.step('by status and by /metrics', async () => {
      debian.sh('umask 077; cat > /tmp/viewer', viewer);
      const line = debian.sh(`cluster-overview status --line --overview ${url} --token-file /tmp/viewer || test $? -lt 3`);
      expect(line).toMatch(/^(OK|WARNING|CRITICAL) - .* \| servers=4 /);
      const metrics = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${viewer}` } });
      expect(await metrics.text()).toMatch(/^cluster_overview_component_up\{[^}]*"agent-1"[^}]*} 1$/m);
    });

    const expectServersOnPage = async () => {
      await page.goto(url);
      await page.getByLabel('Name').fill('ann');
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button').click();
      for (const server of ['agent-1', 'app-1', 'app-2']) {
        await expect(page.locator(`[data-server="${server}"]`)).toHaveCount(1);
      }
    };
    await test.step('in the browser', async () => {
      debian.sh(`cluster-overview admin set-password ann --database sqlite:${STATE}/overview.db`, `${password}\n`);
      await expect(expectServersOnPage).toPass();
    });

    await test.step('upgrade', async () => {
      await debian.stop('cluster-overview-agent');
      await debian.stop('cluster-overview');
      debian.sh("echo 'metrics-public = true' >> /etc/cluster-overview/serve.toml");
      debian.install(LATER_PACKAGE);
      expect(debian.sh('dpkg-query -W -f "\\${Version}" cluster-overview')).toMatch(/-2$/);
      await debian.start('cluster-overview', listen, / at http/);
      expect((await fetch(`${url}/metrics`)).status, 'the configuration is kept').toBe(200);
      await page.context().clearCookies();
      await expectServersOnPage();
    });

    await test.step('remove', async () => {
      await debian.stop('cluster-overview');
      expect(debian.sh('apt-get purge -y cluster-overview')).toContain(`The database in ${STATE} was left`);
      for (const gone of ['usr/bin/cluster-overview', 'etc/cluster-overview', 'var/lib/cluster-overview-agent', 'usr/share/doc/cluster-overview', 'usr/lib/systemd/system/cluster-overview.service']) {
        expect(existsSync(join(debian.root, gone)), gone).toBe(false);
      }
      expect(debian.sh('getent passwd cluster-overview || true')).toBe('');
      if (process.getuid?.() === 0) expect(readdirSync(join(debian.root, STATE))).toContain('overview.db');
    });
  } finally {
    await debian.end();
  }
});
