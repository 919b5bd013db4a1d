// The people of the stories, and how they come in.
import { spawnSync } from 'node:child_process';
import type { Browser, Page } from '@playwright/test';
import { Cluster, expect, password } from './cluster';

/** Fills the form in and sends it. */
export const enter = async (page: Page, name: string, password: string, code?: string) => {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  if (code) await page.getByLabel('Set-up code').fill(code);
  await page.getByRole('button').click();
};

/** An overview where people sign in, with its first admin, who is signed in on this page. */
export const guarded = async (cluster: Cluster, page: Page) => {
  await page.goto(cluster.url);
  await expect(page).toHaveURL(/\/sign-in$/);
  await enter(page, 'Ann', password, cluster.setupCode);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The server is in sync');
};

/** Another browser, with a viewer in it. */
export const viewer = async (cluster: Cluster, browser: Browser, scripts = true) => {
  const made = spawnSync(cluster.program, ['admin', 'set-password', 'viv', '--rank', 'viewer', '--database', cluster.database], {
    timeout: 20_000,
    input: `${password}\n`,
  });
  expect(made.status).toBe(0);
  const page = await (await browser.newContext({ javaScriptEnabled: scripts })).newPage();
  await expect(async () => {
    await page.goto(cluster.url);
    await enter(page, 'viv', password);
    await expect(page.locator('#user')).toHaveText('viv', { timeout: 500 });
  }).toPass();
  return page;
};
