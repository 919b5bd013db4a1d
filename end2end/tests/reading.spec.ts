// What can be read: without JavaScript, by a screen reader, in either theme, on a narrow screen.

import AxeBuilder from '@axe-core/playwright';
import { expect, hydrated, line, quick, server, test } from './cluster';

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('everything can be read', async ({ cluster, page }) => {
    cluster.agent('web-1', 'service');
    cluster.agent('web-2', 'service', { key: 'another key' });
    await expect.poll(async () => (await cluster.overview()).counts.servers).toBe(2);
    await page.goto(cluster.url);
    await expect(page.getByTestId('verdict')).toHaveText('1 of 2 servers needs attention');
    await expect(page.getByText('Decryption failure')).toBeVisible();
    await expect(page.locator('[data-hint="key-mismatch"] li').first()).toBeVisible();
    await expect(page.getByRole('button', { name: 'Pause' })).toBeHidden();
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 1440]) {
    test(`no barrier is found: ${colorScheme}, ${width} px wide`, async ({ cluster, page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await cluster.configure(quick);
      cluster.agent('web-1', 'service');
      cluster.agent('web-1', 'web');
      cluster.agent('web-3', 'service');
      cluster.agent('web-2', 'service', { key: 'another key', version: '2026.1.9' });
      cluster.agent('app-4', 'service');
      await page.goto(cluster.url);
      await hydrated(page);
      await expect(line(page, 'app-4', 'service')).toHaveAttribute('data-pulse', 'alive');
      await cluster.end('app-4 service', 'SIGKILL');
      await expect(line(page, 'app-4', 'service')).toHaveAttribute('data-pulse', 'stale', { timeout: 10_000 });
      await expect(server(page, 'web-2')).toHaveAttribute('data-health', 'error');
      const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
      expect(found.violations.map((v) => [v.id, v.nodes.map((n) => n.html)])).toEqual([]);
      const sideways = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(sideways, 'nothing scrolls sideways').toBeLessThanOrEqual(0);
    });
  }
}
