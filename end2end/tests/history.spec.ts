// What was: the history of the servers, and the page of a past moment.
import AxeBuilder from '@axe-core/playwright';
import { type Cluster, component, expect, openPage, quickTimers, server, test } from './cluster';

/** `db-1` goes stale, and comes back with another version; `app-1` is always well. */
async function staleAndBack(cluster: Cluster) {
  await cluster.saveSettings(quickTimers);
  await cluster.sendHeartbeat({ server: 'db-1' });
  const stop = await cluster.keepSendingHeartbeats([{ server: 'app-1' }]);
  await expect.poll(async () => (await cluster.overview()).counts.stale, { timeout: 10_000 }).toBe(1);
  const again = { server: 'db-1', version: '2027.1', boot_id: '00000002-3c0a-4d5e-9f7e-3d1b9f0c2a12' };
  const stopAgain = await cluster.keepSendingHeartbeats([again]);
  return async () => {
    await stop();
    await stopAgain();
  };
}

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('the history tells what happened, and each event leads to the page as it stood then', async ({ cluster, page }) => {
      const stop = await staleAndBack(cluster);
      await page.goto(cluster.url);
      await page.locator('summary#user').click();
      await page.getByRole('link', { name: 'History' }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('History');
      const stale = page.getByRole('listitem').filter({ hasText: 'db-1' }).filter({ hasText: 'Stale: no heartbeat' });
      await stale.getByRole('link').first().click();
      await expect(page.getByText('The cluster as it was at')).toBeVisible();
      await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'stale');
      await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      await expect(page.locator('#troubleshooting')).toContainText('The service of db-1 does not respond');
      await page.getByRole('link', { name: 'Back to now' }).click();
      await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      await stop();
    });

    test('the page of a past moment can be sorted and searched, leads to the events beside it, and changes nothing', async ({ cluster, page }) => {
      const stop = await staleAndBack(cluster);
      const events = await (await page.request.get(`${cluster.url}api/v1/events?server=db-1`)).json();
      const stale = events.events.find((event: { to: string }) => event.to === 'stale');
      await page.goto(`${cluster.url}?at=${stale.at}`);
      await expect(page.getByRole('link', { name: 'Edit settings' })).toHaveCount(0);
      await server(page, 'db-1').getByRole('link', { name: 'db-1', exact: true }).click();
      await expect(page.getByRole('dialog', { name: 'db-1' })).toContainText('The service of db-1 does not respond');
      await expect(page.getByRole('link', { name: 'Remove server' })).toHaveCount(0);
      await page.getByRole('link', { name: 'Close' }).click();
      await page.getByRole('link', { name: 'Later event' }).click();
      await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      await page.getByRole('link', { name: 'Earlier event' }).click();
      await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'stale');
      await page.goto(`${cluster.url}?at=${stale.at}&q=app-1`);
      await expect(server(page, 'db-1')).toHaveCount(0);
      await expect(server(page, 'app-1')).toHaveCount(1);
      await stop();
    });

    test('a timeout that is typed is tried on the past before it is saved', async ({ cluster, page }) => {
      const stop = await staleAndBack(cluster);
      await (scripts ? openPage(page, `${cluster.url}?configure`) : page.goto(`${cluster.url}?configure`));
      await page.getByLabel('Stale timeout').fill('10 min');
      if (!scripts) await page.getByRole('button', { name: 'Preview' }).click();
      const rehearsal = page.locator('#rehearsal');
      await expect(rehearsal).toContainText('these timeouts would have called no server stale. Today\'s timeouts: 1 time (db-1).');
      await stop();
    });
  });
}

test('the details of a server have its last events', async ({ cluster, page }) => {
  const stop = await staleAndBack(cluster);
  await openPage(page, `${cluster.url}?server=db-1`);
  const details = page.getByRole('dialog', { name: 'db-1' });
  await expect(details.locator('.recent li').filter({ hasText: 'Version' })).toContainText('2027.1');
  await details.getByRole('link', { name: 'History' }).click();
  await expect(page).toHaveURL(/\/history\?server=db-1/);
  await stop();
});

test('the history has no accessibility faults, fits a narrow screen, and its strips are told in words', async ({ cluster, page }) => {
  const stop = await staleAndBack(cluster);
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto(`${cluster.url}history`);
    const faults = (await new AxeBuilder({ page }).analyze()).violations;
    expect(faults.map((fault) => fault.id)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
  await expect(page.getByRole('listitem').filter({ hasText: 'db-1' }).first()).toContainText('1 interruption');
  await expect(page.getByRole('listitem').filter({ hasText: 'app-1' }).first()).toContainText('no interruptions');
  await stop();
});

test.describe('outside of the record', () => {
  test.use({ allowedOnConsole: /410/ });

  test('a moment before the record says when that begins', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    const answer = await page.goto(`${cluster.url}?at=2020-01-01T00:00:00Z`);
    expect(answer?.status()).toBe(410);
    await expect(page.getByRole('main')).toContainText('Nothing is recorded before');
  });
});
