// Does a long list keep its place and the focus?

import { Page } from '@playwright/test';
import { Cluster, expect, focusedId, openPage, server, test, waitForHydration } from './cluster';

/** Every tenth has a line about a problem, so that not all rows are of one height. */
const openThousand = async (cluster: Cluster, page: Page) => {
  await cluster.sendHeartbeats(Array.from({ length: 1000 }, (_, number) => ({
    server: `app-${number + 1}`,
    version: number % 10 === 7 ? '2026.1.4' : '2026.2.1',
  })));
  await openPage(page, `${cluster.url}?sort=name`);
};

/** Scrolls half way down, as with the wheel, and waits until the rows are there and stay where they are. */
const scrollDown = async (page: Page) => {
  await page.mouse.move(300, 500);
  for (let turn = 0; turn < 20; turn += 1) await page.mouse.wheel(0, 900);
  let before = '';
  await expect(async () => {
    const now = JSON.stringify(await firstRow(page));
    const isStill = now === before;
    before = now;
    expect(isStill && now.includes('app-')).toBe(true);
  }).toPass({ intervals: [200] });
};

/** The first row on the screen, and how far from the top it is. */
const firstRow = (page: Page) => page.evaluate(() => {
  const rows = [...document.querySelectorAll<HTMLElement>('.server')];
  const row = rows.find((one) => one.getBoundingClientRect().top >= 100);
  return { name: row?.dataset.server, top: Math.round(row?.getBoundingClientRect().top ?? 0) };
});

const expectPlace = async (page: Page, place: Awaited<ReturnType<typeof firstRow>>) => {
  await expect.poll(async () => (await firstRow(page)).name).toBe(place.name);
  const { top } = await firstRow(page);
  expect(Math.abs(top - place.top)).toBeLessThanOrEqual(2);
};

test.describe('far down in a list of a thousand servers', () => {
  test.beforeEach(async ({ cluster, page }) => {
    await openThousand(cluster, page);
    await scrollDown(page);
  });

  test('back from the details of a server the list is where it was, and the focus on the row', async ({ page }) => {
    const place = await firstRow(page);
    const name = place.name ?? '';
    await server(page, name).getByRole('link', { name, exact: true }).click();
    await expect(page.locator('#panel-title')).toHaveText(name);
    await page.goBack();
    await expect(page.locator('.panel')).toHaveCount(0);
    await expect.poll(() => focusedId(page)).toBe(`open-server-${name}`);
    await expectPlace(page, place);
    await page.goForward();
    await expect(page.locator('#panel-title')).toHaveText(name);
    await expect(server(page, name)).toBeInViewport();
  });

  test('a reload shows the same rows', async ({ page }) => {
    const place = await firstRow(page);
    await page.reload();
    await waitForHydration(page);
    await expectPlace(page, place);
  });

  test('back from another page the list is where it was', async ({ cluster, page }) => {
    const place = await firstRow(page);
    await page.goto(`${cluster.url}audit`);
    await page.goBack();
    await waitForHydration(page);
    await expectPlace(page, place);
  });

  test('a link to the list begins at its top', async ({ cluster, page }) => {
    await page.goto(`${cluster.url}audit`);
    await page.goto(`${cluster.url}?sort=name`);
    await waitForHydration(page);
    await expect(server(page, 'app-1')).toBeInViewport();
  });
});
