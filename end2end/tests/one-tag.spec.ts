// Does the example of the `<cluster-overview>` element work, in plain HTML and in React?

import { expect } from './cluster';
import {
  blockThirdPartyCookies, countCodeRequests, expectFrameToFit, openOverview, overviewInFrame, removeStaleService,
  signOut, test,
} from './product';

test.use({ pages: 'one-tag' });

test('in plain HTML: an admin removes a stale service and signs out', async ({ cluster, page, product }) => {
  await openOverview(page, product, 'ann', 'Cluster Overview (plain)');
  const overview = await overviewInFrame(page);
  await expect(overview.locator('html')).toHaveAttribute('lang', 'de');
  await expect(overview.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.evaluate(() => document.querySelector('cluster-overview')!.setAttribute('lang', 'en'));
  await expect(overview.getByRole('link', { name: 'Edit settings' })).toBeVisible();
  await overviewInFrame(page);
  await expectFrameToFit(page);
  await removeStaleService(cluster, overview);
  await signOut(page);
});

test("in React: two elements on one page, each in its language, with the product's theme", async ({ cluster, page, product }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openOverview(page, product, 'ann', 'Cluster Overview (react)');
  const [english, german] = ['iframe[title="The cluster"]', 'iframe[title="Der Cluster"]'];
  await expect((await overviewInFrame(page, english)).getByRole('link', { name: 'Edit settings' })).toBeVisible();
  await expect((await overviewInFrame(page, german)).getByRole('link', { name: 'Einstellungen ändern' })).toBeVisible();
  await expectFrameToFit(page, english);
  await expectFrameToFit(page, german);
  await page.getByRole('button', { name: 'Other theme' }).click();
  for (const one of [english, german]) {
    await expect(page.frameLocator(one).locator('html')).toHaveAttribute('data-theme', 'dark');
    await overviewInFrame(page, one);
  }
  await cluster.sendHeartbeat({ server: 'app-2' });
  for (const one of [english, german]) {
    await expect(page.frameLocator(one).locator('[data-server="app-2"]')).toHaveCount(1);
  }
});

test('an element that is removed and added repeatedly leaks nothing', async ({ page, product }) => {
  await openOverview(page, product, 'ann', 'Cluster Overview (react)');
  const session = await page.context().newCDPSession(page);
  const countObjects = async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { nodes, jsEventListeners, documents } = await session.send('Memory.getDOMCounters');
    return { nodes, jsEventListeners, documents };
  };
  const hideAndShow = async () => {
    await overviewInFrame(page, 'iframe[title="The cluster"]');
    await overviewInFrame(page, 'iframe[title="Der Cluster"]');
    await page.getByRole('button', { name: 'Hide' }).click();
    await expect(page.locator('cluster-overview')).toHaveCount(0);
    await page.getByRole('button', { name: 'Show' }).click();
  };
  await hideAndShow();
  await page.getByRole('button', { name: 'Hide' }).click();
  const first = await countObjects();
  await page.getByRole('button', { name: 'Show' }).click();
  for (let times = 0; times < 5; times += 1) await hideAndShow();
  await page.getByRole('button', { name: 'Hide' }).click();
  await expect.poll(async () => {
    const now = await countObjects();
    return [now.documents - first.documents, now.jsEventListeners - first.jsEventListeners, Math.max(0, now.nodes - first.nodes - 50)];
  }).toEqual([0, 0, 0]);
});

test('in a browser that blocks third-party cookies it signs the user in in a window', async ({ cluster, page, product }) => {
  await page.clock.install();
  await blockThirdPartyCookies(page);
  const codes = countCodeRequests(page);
  await openOverview(page, product, 'ann', 'Cluster Overview (plain)');
  const notice = page.frameLocator('iframe').locator('#blocked-in-frame');
  await expect(notice).toBeAttached();
  await page.clock.runFor(100_000);
  await expect(notice).toContainText('Dieser Browser speichert Ihre Anmeldung hier nicht');
  await page.clock.runFor(600_000);
  expect(codes()).toBeLessThanOrEqual(4);
  const opened = page.context().waitForEvent('page');
  await notice.getByRole('link', { name: 'Die Übersicht in einem eigenen Fenster öffnen' }).click();
  const overview = await opened;
  await expect(overview.locator('#user')).toHaveText('ann');
  await expect(overview.getByRole('navigation', { name: 'Pfad' })).toBeVisible();
  await cluster.sendHeartbeat({ server: 'app-1' });
  await expect(overview.locator('[data-server="app-1"]')).toHaveCount(1);
});

test.describe('an error', () => {
  test.use({ allowedOnConsole: /status of 4|ERR_/ });

  test('is shown in place of the frame', async ({ page, product }) => {
    await openOverview(page, product, 'ann', 'Cluster Overview (plain)');
    await overviewInFrame(page);
    for (const [attribute, value, message] of [
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
      await expect(page.getByRole('alert')).toContainText(message);
    }
  });

  test('messages of other pages change nothing', async ({ page, product }) => {
    await openOverview(page, product, 'ann', 'Cluster Overview (plain)');
    await overviewInFrame(page);
    await expectFrameToFit(page);
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
