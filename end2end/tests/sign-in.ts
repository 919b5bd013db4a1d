// The users of the stories, and how they sign in.
import { spawnSync } from 'node:child_process';
import type { Browser, Page } from '@playwright/test';
import { Cluster, expect, password } from './cluster';

/** Fills in the sign-in form and sends it. */
export const signIn = async (page: Page, name: string, password: string, code?: string) => {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  if (code) await page.getByLabel('Set-up code').fill(code);
  await page.getByRole('button').click();
};

/** Creates the first admin, who is then signed in on this page. */
export const signInFirstAdmin = async (cluster: Cluster, page: Page) => {
  await page.goto(cluster.url);
  await expect(page).toHaveURL(/\/sign-in$/);
  await signIn(page, 'Ann', password, cluster.setupCode);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The server is in sync');
};

const createViewer = (cluster: Cluster) => {
  const command = spawnSync(cluster.program, ['admin', 'set-password', 'viv', '--rank', 'viewer', '--database', cluster.database], {
    timeout: 20_000,
    input: `${password}\n`,
  });
  expect(command.status).toBe(0);
};

/** Lets 31 min without a change pass for all sessions, and waits until this page's may change nothing any more. */
export const lapseSessions = async (cluster: Cluster, page: Page) => {
  const script = `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=30)
database.execute("update sessions set acted_at = acted_at - 31 * 60000, changed_no = 1000000")
database.commit()`;
  const file = cluster.database.replace('sqlite:', '');
  expect(spawnSync('python3', ['-c', script, file], { timeout: 20_000 }).status).toBe(0);
  // The overview reads what has changed after another change.
  createViewer(cluster);
  const status = async () => (await page.request.get(`${cluster.url}account/session`)).status();
  await expect.poll(status, { timeout: 20_000 }).toBe(401);
};

/** Another browser in which a viewer is signed in. */
export const openAsViewer = async (cluster: Cluster, browser: Browser, scripts = true) => {
  createViewer(cluster);
  const page = await (await browser.newContext({ javaScriptEnabled: scripts })).newPage();
  await expect(async () => {
    await page.goto(cluster.url);
    await signIn(page, 'viv', password);
    await expect(page.locator('#user')).toHaveText('viv', { timeout: 500 });
  }).toPass();
  return page;
};
