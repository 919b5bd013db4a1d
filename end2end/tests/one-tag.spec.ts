// The overview as one tag of a product's page, in plain HTML and within React: the example as it stands.

import { expect } from './cluster';
import { countCodes, enter, isAsHighAsItsContent, refuseCookies, seeAndMend, test, within } from './product';

test.use({ pages: 'one-tag' });

test('in plain HTML: an admin sees a service go stale, removes it and leaves', async ({ cluster, page, product }) => {
  await enter(page, product, 'ann', 'Cluster Overview (plain)');
  const overview = await within(page);
  await expect(overview.locator('html')).toHaveAttribute('lang', 'de');
  await expect(overview.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.evaluate(() => document.querySelector('cluster-overview')!.setAttribute('lang', 'en'));
  await expect(overview.getByRole('link', { name: 'Edit settings' })).toBeVisible();
  await within(page);
  await isAsHighAsItsContent(page);
  await seeAndMend(cluster, overview);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('within React: two on one page, in their languages, with the theme of the product', async ({ cluster, page, product }) => {
  await cluster.beat({ server: 'app-1' });
  await enter(page, product, 'ann', 'Cluster Overview (react)');
  const [english, german] = ['iframe[title="The cluster"]', 'iframe[title="Der Cluster"]'];
  await expect((await within(page, english)).getByRole('link', { name: 'Edit settings' })).toBeVisible();
  await expect((await within(page, german)).getByRole('link', { name: 'Einstellungen ändern' })).toBeVisible();
  await isAsHighAsItsContent(page, english);
  await isAsHighAsItsContent(page, german);
  await page.getByRole('button', { name: 'Other theme' }).click();
  for (const one of [english, german]) {
    await expect(page.frameLocator(one).locator('html')).toHaveAttribute('data-theme', 'dark');
    await within(page, one);
  }
  await cluster.beat({ server: 'app-2' });
  for (const one of [english, german]) {
    await expect(page.frameLocator(one).locator('[data-server="app-2"]')).toHaveCount(1);
  }
});

test('taken away and put back again and again it leaves nothing behind', async ({ page, product }) => {
  await enter(page, product, 'ann', 'Cluster Overview (react)');
  const session = await page.context().newCDPSession(page);
  const left = async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { nodes, jsEventListeners, documents } = await session.send('Memory.getDOMCounters');
    return { nodes, jsEventListeners, documents };
  };
  const round = async () => {
    await within(page, 'iframe[title="The cluster"]');
    await within(page, 'iframe[title="Der Cluster"]');
    await page.getByRole('button', { name: 'Hide' }).click();
    await expect(page.locator('cluster-overview')).toHaveCount(0);
    await page.getByRole('button', { name: 'Show' }).click();
  };
  await round();
  await page.getByRole('button', { name: 'Hide' }).click();
  const first = await left();
  await page.getByRole('button', { name: 'Show' }).click();
  for (let times = 0; times < 5; times += 1) await round();
  await page.getByRole('button', { name: 'Hide' }).click();
  await expect.poll(async () => {
    const now = await left();
    return [now.documents - first.documents, now.jsEventListeners - first.jsEventListeners, Math.max(0, now.nodes - first.nodes - 50)];
  }).toEqual([0, 0, 0]);
});

test('in a browser that refuses cookies of other sites it lets people in by a window', async ({ cluster, page, product }) => {
  await page.clock.install();
  await refuseCookies(page);
  const codes = countCodes(page);
  await enter(page, product, 'ann', 'Cluster Overview (plain)');
  const notice = page.frameLocator('iframe').locator('#blocked-in-frame');
  await expect(notice).toBeAttached();
  await page.clock.runFor(100_000);
  await expect(notice).toContainText('Dieser Browser hält Ihre Anmeldung hier nicht');
  await page.clock.runFor(600_000);
  expect(codes()).toBeLessThanOrEqual(4);
  const opened = page.context().waitForEvent('page');
  await notice.getByRole('link', { name: 'Die Übersicht in einem eigenen Fenster öffnen' }).click();
  const overview = await opened;
  await expect(overview.locator('#user')).toHaveText('ann');
  await expect(overview.getByRole('navigation', { name: 'Pfad' })).toBeVisible();
  await cluster.beat({ server: 'app-1' });
  await expect(overview.locator('[data-server="app-1"]')).toHaveCount(1);
});

test.describe('what goes wrong', () => {
  test.use({ forgiven: /status of 4|ERR_/ });

  test('is said in its place', async ({ page, product }) => {
    await enter(page, product, 'ann', 'Cluster Overview (plain)');
    await within(page);
    for (const [attribute, value, said] of [
      ['src', 'javascript:alert(1)', 'the attribute src is not an http or https address'],
      ['src', '', 'the attribute src is missing'],
      ['code', '/nowhere', 'answered 404'],
    ]) {
      await page.evaluate(([attribute, value]) => {
        const tag = document.createElement('cluster-overview');
        tag.setAttribute('src', 'http://localhost/');
        tag.setAttribute(attribute, value);
        document.querySelector('cluster-overview')!.replaceWith(tag);
      }, [attribute, value]);
      await expect(page.getByRole('alert')).toContainText(said);
    }
  });

  test('messages of other pages move nothing', async ({ page, product }) => {
    await enter(page, product, 'ann', 'Cluster Overview (plain)');
    await within(page);
    await isAsHighAsItsContent(page);
    const height = () => page.locator('iframe').evaluate((frame) => (frame as HTMLElement).style.height);
    const before = await height();
    await page.evaluate(() => {
      postMessage({ type: 'cluster-overview:height', height: 9_999 }, '*');
      const other = document.createElement('iframe');
      other.srcdoc = '<script>parent.postMessage({ type: "cluster-overview:height", height: 9999 }, "*")</script>';
      document.body.append(other);
      return new Promise((resolve) => { other.addEventListener('load', () => setTimeout(resolve)); });
    });
    expect(await page.locator('cluster-overview iframe').evaluate((frame) => (frame as HTMLElement).style.height)).toBe(before);
  });
});
