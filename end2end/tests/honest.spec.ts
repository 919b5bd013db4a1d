// What the page says of itself: paused, cut off, back again.

import { expect, hydrated, line, quick, test } from './cluster';

test('pause stops the news and resume brings it at once', async ({ cluster, page }) => {
  await cluster.configure(quick);
  cluster.agent('web-1', 'service');
  await page.goto(cluster.url);
  await hydrated(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByTestId('connection')).toContainText('Paused');
  cluster.agent('web-2', 'service');
  await expect.poll(async () => (await cluster.overview()).counts.servers).toBe(2);
  await expect(line(page, 'web-2', 'service')).toHaveCount(0);
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(line(page, 'web-2', 'service')).toHaveCount(1);
});

test.describe('when the overview goes away', () => {
  test.use({ forgiven: /Failed to load resource|ERR_CONNECTION/ });

  test('the page keeps the last picture and says so, and goes on when it is back', async ({ cluster, page }) => {
    await cluster.configure(quick);
    cluster.agent('web-1', 'service');
    await page.goto(cluster.url);
    await hydrated(page);
    await expect(line(page, 'web-1', 'service')).toHaveAttribute('data-pulse', 'alive');
    await cluster.end('serve', 'SIGKILL');
    await expect(page.getByTestId('connection')).toContainText('Reconnecting');
    await expect(line(page, 'web-1', 'service')).toBeVisible();
    await expect(page.getByTestId('verdict')).toContainText('blind', { timeout: 30_000 });
    await expect(line(page, 'web-1', 'service')).toHaveAttribute('data-pulse', 'unknown');
    await cluster.start();
    await expect(page.getByTestId('connection')).toContainText('Polling', { timeout: 35_000 });
    await expect(line(page, 'web-1', 'service')).toHaveAttribute('data-pulse', 'alive', { timeout: 15_000 });
  });
});
